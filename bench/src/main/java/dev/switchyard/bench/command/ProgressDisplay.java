package dev.switchyard.bench.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Console;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far some work is: as a bar that moves on a terminal, as a line now and then where the output
 * goes to a file or a pipe.
 */
public abstract sealed class ProgressDisplay implements AutoCloseable {
  private ProgressDisplay() {}

  /** A bar if {@code out} is a terminal, or else lines. */
  public static ProgressDisplay of(String name, PrintStream out) {
    // Whether a console exists where there is no terminal differs from JDK to JDK.
    boolean terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return terminal ? bar(name, out) : lines(name, out, System::nanoTime);
  }

  /** Shows nothing. */
  public static ProgressDisplay none() {
    return lines(
        "", new PrintStream(OutputStream.nullOutputStream(), false, UTF_8), System::nanoTime);
  }

  /** A bar that redraws itself on {@code out}, which must be a terminal. */
  public static ProgressDisplay bar(String name, PrintStream out) {
    return new Bar(name, out);
  }

  /** Plain lines on {@code out}, one in ten seconds at most and one for the last step. */
  public static ProgressDisplay lines(String name, PrintStream out, LongSupplier nanoClock) {
    return new Lines(name, out, nanoClock);
  }

  /**
   * Shows where the work is.
   *
   * @param step the steps that are done
   * @param steps all steps
   * @param state a few words
   */
  public abstract void show(int step, int steps, String state);

  /** Ends the bar and its line. */
  @Override
  public abstract void close();

  /** {@code 3:07} for 187 seconds. */
  public static String clock(double seconds) {
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

  /** The library draws from a thread of its own twice a second: a step only sets two fields. */
  private static final class Bar extends ProgressDisplay {
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

  private static final class Lines extends ProgressDisplay {
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
