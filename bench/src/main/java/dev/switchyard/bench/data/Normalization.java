package dev.switchyard.bench.data;

import java.util.Locale;

/**
 * Maps pixels 0 to 255 to floats of mean 0 and standard deviation 1 over the set it was computed
 * from. Test images go through the normalization of the training set.
 */
public final class Normalization {
  private static final int LEVELS = 256;

  private final double mean;
  private final double deviation;

  /** One float for each of the 256 pixels: an image is normalized by look-ups. */
  private final float[] table = new float[LEVELS];

  private Normalization(double mean, double deviation) {
    this.mean = mean;
    this.deviation = deviation;
    for (int pixel = 0; pixel < LEVELS; pixel++) {
      table[pixel] = (float) ((pixel - mean) / deviation);
    }
  }

  /**
   * The normalization of a set of pixels. Sums are integers, so that the result does not depend on
   * any order.
   *
   * @throws DataException if all pixels are equal, and so cannot have a standard deviation of 1
   */
  static Normalization of(String name, byte[] pixels) {
    long sum = 0;
    long squares = 0;
    int lowest = LEVELS;
    int highest = 0;
    for (byte pixel : pixels) {
      int value = Byte.toUnsignedInt(pixel);
      sum += value;
      squares += (long) value * value;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    }
    if (lowest == highest) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s holds nothing but pixels of value %d (expected images)",
              name,
              lowest));
    }
    double mean = (double) sum / pixels.length;
    double variance = (double) squares / pixels.length - mean * mean;
    return new Normalization(mean, Math.sqrt(variance));
  }

  /** The mean pixel, from 0 to 255. */
  public double mean() {
    return mean;
  }

  /** The standard deviation of the pixels. */
  public double deviation() {
    return deviation;
  }

  /** The float that a pixel becomes. */
  float apply(byte pixel) {
    return table[Byte.toUnsignedInt(pixel)];
  }
}
