package dev.switchyard.bench.train;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows how far a training is, with its loss, the images a second and the time left: as a bar that
 * moves on a terminal, as a line now and then where the output goes to a file or a pipe.
 */
public final class TrainingProgress implements StepListener, AutoCloseable {
  /** Weight of the newest loss in the one shown: single batches make it jump too much to read. */
  private static final double NEWEST = 0.05;

  private final Display display;
  private final LongSupplier nanoClock;
  private final long start;
  private int before = -1; // steps of an earlier process, with which the training goes on
  private long images;
  private double meanLoss;

  private TrainingProgress(Display display, LongSupplier nanoClock) {
    this.display = display;
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
  }

  /** A bar that redraws itself on {@code out}, which must be a terminal. */
  public static TrainingProgress bar(String name, PrintStream out) {
    return new TrainingProgress(new Bar(name, out), System::nanoTime);
  }

  /** Plain lines on {@code out}, one in ten seconds at most and one for the last step. */
  public static TrainingProgress lines(String name, PrintStream out) {
    return lines(name, out, System::nanoTime);
  }

  static TrainingProgress lines(String name, PrintStream out, LongSupplier nanoClock) {
    return new TrainingProgress(new Lines(name, out, nanoClock), nanoClock);
  }

  @Override
  public void onStep(int step, int steps, double loss, int stepImages) {
    before = before < 0 ? step - 1 : before;
    int done = step - before;
    images += stepImages;
    // The first steps count as a plain mean, so that the start is not drawn to the first loss.
    meanLoss += (loss - meanLoss) * Math.max(NEWEST, 1.0 / done);
    double seconds = (nanoClock.getAsLong() - start) / 1e9;
    double left = seconds / done * (steps - step);
    String state =
        String.format(
            Locale.ROOT,
            "loss %.4f, %,.0f images/s, %s left",
            meanLoss,
            images / Math.max(seconds, 1e-9),
            clock(left));
    display.show(step, steps, state);
  }

  /** Ends the bar and its line. */
  @Override
  public void close() {
    display.close();
  }

  /** {@code 3:07} for 187 seconds. */
  static String clock(double seconds) {
    Duration time = Duration.ofSeconds(Math.round(seconds));
    return time.toHours() == 0
        ? String.format(Locale.ROOT, "%d:%02d", time.toMinutes(), time.toSecondsPart())
        : String.format(
            Locale.ROOT,
            "%d:%02d:%02d",
            time.toHours(),
            time.toMinutesPart(),
            time.toSecondsPart());
  }

  private interface Display {
    void show(int step, int steps, String state);

    void close();
  }

  /** The library draws from a thread of its own twice a second: a step only sets two fields. */
  private static final class Bar implements Display {
    private final OneEnding console;
    private final ProgressBar bar;

    Bar(String name, PrintStream out) {
      console = new OneEnding(out);
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(1)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(500)
              .hideEta()
              .setConsumer(console)
              .build();
    }

    @Override
    public void show(int step, int steps, String state) {
      bar.maxHint(steps);
      bar.setExtraMessage(state);
      bar.stepTo(step);
    }

    @Override
    public void close() {
      bar.close();
      console.close();
    }
  }

  /**
   * The library ends the line of a bar once, twice or, if the bar is closed before its first draw,
   * not at all. Here only the first ending counts, and {@link Bar#close()} makes sure of one.
   */
  private static final class OneEnding extends ConsoleProgressBarConsumer {
    private boolean closed;

    OneEnding(PrintStream out) {
      super(out);
    }

    @Override
    public synchronized void accept(String bar) {
      if (!closed) {
        super.accept(bar);
      }
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        super.close();
      }
    }
  }

  private static final class Lines implements Display {
    private static final long INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

    private final String name;
    private final PrintStream out;
    private final LongSupplier nanoClock;
    private long last;

    Lines(String name, PrintStream out, LongSupplier nanoClock) {
      this.name = name;
      this.out = out;
      this.nanoClock = nanoClock;
      this.last = nanoClock.getAsLong();
    }

    @Override
    public void show(int step, int steps, String state) {
      long now = nanoClock.getAsLong();
      if (step < steps && now - last < INTERVAL_NANOS) {
        return;
      }
      last = now;
      out.printf(Locale.ROOT, "%s step %d of %d: %s%n", name, step, steps, state);
    }

    @Override
    public void close() {
      out.flush();
    }
  }
}
