package dev.switchyard.bench.measuring;

/**
 * The vision transformer of {@code switchyard train} as another library trains it. For use by the
 * thread that made it.
 */
public interface PeerTransformer {
  /**
   * The numbers of the model.
   *
   * @param pixels rows and columns of an image, of one channel
   * @param patch rows and columns of a patch
   * @param width features of a token
   * @param depth blocks
   * @param heads of attention
   */
  record Shape(int pixels, int patch, int width, int depth, int heads) {}

  /**
   * Makes a training step.
   *
   * @param pixels of some images, one after the other
   * @param labels the right class of each
   * @param rate the learning rate
   * @return the loss
   */
  double step(float[] pixels, int[] labels, float rate);

  /**
   * Computes scores, in float32.
   *
   * @param pixels of some images, one after the other
   * @param images how many
   * @return [images][classes], row by row
   */
  float[] scores(float[] pixels, int images);
}
