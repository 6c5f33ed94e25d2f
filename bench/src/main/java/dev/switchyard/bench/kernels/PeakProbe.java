package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.data.ElementType;

/** Measures how fast this CPU executes the instruction that does the work of a product. */
public interface PeakProbe {
  /** Operations in a nanosecond, a multiply-add counted as two, on a number of threads. */
  double gops(ElementType type, int threads);
}
