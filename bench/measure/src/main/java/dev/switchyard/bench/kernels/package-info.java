/**
 * Kernels and layers against what a user would call instead, in the same run.
 *
 * <ul>
 *   <li>{@code switchyard matmul}, {@code switchyard step} and {@code switchyard coda} time all
 *       contestants of a {@link dev.switchyard.bench.kernels.Contest} in interleaved rounds.
 *   <li>The JMH benchmarks, one thread: {@code bench/switchyard jmh Matmul -prof gc}.
 * </ul>
 *
 * <p>What computes something else is not timed: see {@link
 * dev.switchyard.bench.kernels.Operands#checkEqual}.
 */
package dev.switchyard.bench.kernels;
