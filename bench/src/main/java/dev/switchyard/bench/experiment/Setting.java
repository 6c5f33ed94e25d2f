package dev.switchyard.bench.experiment;

import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.kernels.Kernels;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/** What an experiment is run with. Counts its steps, for whoever waits. */
final class Setting {
  /** Leaves an experiment whose parts have been kept. */
  static final class Interrupted extends RuntimeException {
    private static final long serialVersionUID = 1;

    Interrupted() {
      super("the experiment was interrupted", null, false, false);
    }
  }

  private final Kernels kernels;
  private final int threads;
  private final FashionMnist images;
  private final long seed;
  private final double size;
  private final KeptParts parts;
  private final BooleanSupplier interrupted;
  private final ProgressDisplay progress;
  private final long start = System.nanoTime();
  private int steps = 1;
  private int before; // steps of an earlier process
  private int done;

  /**
   * A setting of which nothing has run.
   *
   * @param size how many steps or draws to take: 1 is the default, more takes longer
   * @param parts what an earlier process has left of the experiment, and this one leaves
   * @param interrupted whether someone wants an end
   */
  Setting(
      Kernels kernels,
      int threads,
      FashionMnist images,
      long seed,
      double size,
      KeptParts parts,
      BooleanSupplier interrupted,
      ProgressDisplay progress) {
    this.kernels = kernels;
    this.threads = threads;
    this.images = images;
    this.seed = seed;
    this.size = size;
    this.parts = parts;
    this.interrupted = interrupted;
    this.progress = progress;
  }

  Kernels kernels() {
    return kernels;
  }

  int threads() {
    return threads;
  }

  FashionMnist images() {
    return images;
  }

  long seed() {
    return seed;
  }

  KeptParts parts() {
    return parts;
  }

  boolean isInterrupted() {
    return interrupted.getAsBoolean();
  }

  /** A number of steps or draws, scaled to the size of the experiment. */
  int scaled(int count) {
    return (int) Math.max(2, Math.round(count * size));
  }

  /** Says how many steps there will be in all. */
  void expect(int allSteps) {
    steps = allSteps;
  }

  /** Says that steps were done before the experiment was interrupted. */
  void skip(int count) {
    before += count;
    done += count;
  }

  /** Says that a step is done. */
  void step(String state) {
    done++;
    double seconds = (System.nanoTime() - start) / 1e9;
    double left = seconds / (done - before) * (steps - done);
    progress.show(
        done, steps, String.format(Locale.ROOT, "%s, %s left", state, ProgressDisplay.clock(left)));
  }
}
