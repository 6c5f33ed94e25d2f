package dev.switchyard.bench.experiment;

import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.kernels.Kernels;
import java.util.Locale;

/** What an experiment is run with. Counts its steps, for whoever waits. */
final class Setting {
  private final Kernels kernels;
  private final int threads;
  private final FashionMnist images;
  private final long seed;
  private final double size;
  private final ProgressDisplay progress;
  private final long start = System.nanoTime();
  private int steps = 1;
  private int done;

  /**
   * A setting of which nothing has run.
   *
   * @param size how many steps or draws to take: 1 is the default, more takes longer
   */
  Setting(
      Kernels kernels,
      int threads,
      FashionMnist images,
      long seed,
      double size,
      ProgressDisplay progress) {
    this.kernels = kernels;
    this.threads = threads;
    this.images = images;
    this.seed = seed;
    this.size = size;
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

  /** A number of steps or draws, scaled to the size of the experiment. */
  int scaled(int count) {
    return (int) Math.max(2, Math.round(count * size));
  }

  /** Says how many steps there will be in all. */
  void expect(int allSteps) {
    steps = allSteps;
  }

  /** Says that a step is done. */
  void step(String state) {
    done++;
    double seconds = (System.nanoTime() - start) / 1e9;
    double left = seconds / done * (steps - done);
    progress.show(
        done, steps, String.format(Locale.ROOT, "%s, %s left", state, ProgressDisplay.clock(left)));
  }
}
