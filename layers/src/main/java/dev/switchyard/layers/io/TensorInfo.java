package dev.switchyard.layers.io;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What the header of a file says of one tensor. Immutable.
 *
 * @param name its name
 * @param dtype the type of its elements
 * @param shape its lengths, the last dimension contiguous; none for a single number
 * @param begin where it begins, in bytes from the first tensor's first
 * @param end where it ends, exclusive
 */
public record TensorInfo(String name, Dtype dtype, List<Long> shape, long begin, long end) {
  /** Copies the shape. */
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /**
   * The number of elements.
   *
   * @return the product of the shape, 1 for a single number
   */
  public long elements() {
    return Math.multiplyExact(end - begin, Byte.SIZE) / dtype.bits();
  }

  /**
   * The product of a shape, which fits whatever lies beside a length of 0.
   *
   * @throws ArithmeticException if it does not fit
   */
  static long elements(List<Long> shape) {
    if (shape.contains(0L)) {
      return 0;
    }
    long elements = 1;
    for (long length : shape) {
      elements = Math.multiplyExact(elements, length);
    }
    return elements;
  }

  @Override
  public String toString() {
    return "tensor " + name + " of " + text(dtype, shape);
  }

  static String text(Dtype dtype, List<Long> shape) {
    return shape.stream().map(String::valueOf).collect(Collectors.joining("x", dtype + "[", "]"));
  }
}
