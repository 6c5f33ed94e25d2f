package dev.switchyard.bench.train;

import dev.switchyard.bench.command.ProgressDisplay;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Shows how far a training is, with its loss, the images a second and the time left. */
public final class TrainingProgress implements StepListener, AutoCloseable {
  private final ProgressDisplay display;
  private final LongSupplier nanoClock;
  private final long start;
  private int before = -1; // steps of an earlier process, with which the training goes on
  private long images;

  /** Shows a training that begins now. */
  public TrainingProgress(ProgressDisplay display) {
    this(display, System::nanoTime);
  }

  TrainingProgress(ProgressDisplay display, LongSupplier nanoClock) {
    this.display = display;
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
  }

  @Override
  public void onStep(int step, int steps, double loss, int stepImages) {
    before = before < 0 ? step - 1 : before;
    int done = step - before;
    images += stepImages;
    double seconds = (nanoClock.getAsLong() - start) / 1e9;
    double left = seconds / done * (steps - step);
    String state =
        String.format(
            Locale.ROOT,
            "loss %.4f, %,.0f images/s, %s left",
            loss,
            images / Math.max(seconds, 1e-9),
            ProgressDisplay.clock(left));
    display.show(step, steps, state);
  }

  /** Ends the bar and its line. */
  @Override
  public void close() {
    display.close();
  }
}
