/**
 * JMH benchmarks of the kernels against what a user would call instead, in the same run: {@code
 * bench/switchyard jmh Matmul -prof gc}. One thread.
 */
package dev.switchyard.bench.kernels;
