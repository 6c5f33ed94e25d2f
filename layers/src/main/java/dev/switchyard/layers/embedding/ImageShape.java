package dev.switchyard.layers.embedding;

import java.util.Locale;

/**
 * The shape of an image, whose elements lie by channel, then row, then column.
 *
 * @param channels colours of a pixel
 * @param height rows of pixels
 * @param width columns of pixels
 */
public record ImageShape(int channels, int height, int width) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is less than 1, or an image has more elements than an
   *     array can hold
   */
  public ImageShape {
    boolean positive = channels >= 1 && height >= 1 && width >= 1;
    if (!positive || (double) channels * height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an image is %dx%dx%d (expected 1 or more of each, and fewer than 2^31 elements)",
              channels,
              height,
              width));
    }
  }

  /**
   * The elements of an image.
   *
   * @return {@code channels height width}
   */
  public int elements() {
    return channels * height * width;
  }
}
