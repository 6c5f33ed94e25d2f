package dev.switchyard.kernels.data;

import java.util.Objects;

/**
 * How a matrix is rounded to float8: with scales that take the largest magnitude to the largest
 * number of the format.
 *
 * @param format the numbers, to be multiplied by a scale
 * @param scaling which elements share a scale: those of a row, or all
 * @param powerOfTwoScale whether a scale is raised to the next power of two, so that scaling
 *     changes no mantissa; up to the upper half of the range remains unused then
 */
public record Float8Rounding(Float8Format format, Scaling scaling, boolean powerOfTwoScale) {
  /**
   * Checks the scaling.
   *
   * @throws IllegalArgumentException if it is COLUMN
   */
  public Float8Rounding {
    Objects.requireNonNull(format, "format");
    if (Objects.requireNonNull(scaling, "scaling") == Scaling.COLUMN) {
      throw new IllegalArgumentException("scaling of float8 is COLUMN (expected ROW or TENSOR)");
    }
  }

  /**
   * A rounding whose scales are as small as they can be.
   *
   * @param format the numbers, to be multiplied by a scale
   * @param scaling which elements share a scale: those of a row, or all
   * @throws IllegalArgumentException if the scaling is COLUMN
   */
  public Float8Rounding(Float8Format format, Scaling scaling) {
    this(format, scaling, false);
  }
}
