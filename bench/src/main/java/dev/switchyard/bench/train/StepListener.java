package dev.switchyard.bench.train;

/** Is told of each step of a training. */
@FunctionalInterface
public interface StepListener {
  /**
   * A step has ended.
   *
   * @param step the number of steps so far, from 1
   * @param steps the number of steps in all
   * @param loss the mean loss of the steps of this epoch so far; at the end it is the final loss
   * @param images the number of images in this step
   */
  void onStep(int step, int steps, double loss, int images);
}
