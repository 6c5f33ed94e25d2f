/**
 * The {@code switchyard} command: real work, done with the library and measured; and benchmarks.
 *
 * <ul>
 *   <li>{@code dev.switchyard.bench.data} reads images and labels.
 *   <li>{@code dev.switchyard.bench.train} trains on them, and shows the outcome.
 *   <li>{@code dev.switchyard.bench.kernels} has the JMH benchmarks.
 * </ul>
 *
 * <p>{@code train} may call {@code data}; neither is called by the library.
 */
package dev.switchyard.bench;
