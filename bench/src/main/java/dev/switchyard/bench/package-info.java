/**
 * The {@code switchyard} command: real work, done with the library and measured; and benchmarks.
 *
 * <ul>
 *   <li>{@code dev.switchyard.bench.data} reads images, texts and labels.
 *   <li>{@code dev.switchyard.bench.train} trains on them, and shows the outcome.
 *   <li>{@code dev.switchyard.bench.adapt} adapts a pretrained encoder to a task: the commands
 *       {@code adapt} and {@code predict}.
 *   <li>{@code dev.switchyard.bench.experiment} looks for findings of papers on this machine.
 *   <li>{@code dev.switchyard.bench.processes} shares a training among processes.
 *   <li>{@code dev.switchyard.bench.statistics} says what can be told from results.
 *   <li>{@code dev.switchyard.bench.page} shows them as a page.
 *   <li>{@code dev.switchyard.bench.peers} has the libraries that the benchmarks compare with.
 *   <li>{@code dev.switchyard.bench.kernels} measures products, steps of a layer and conditional
 *       layers: the commands {@code matmul}, {@code step} and {@code coda}, and the JMH benchmarks.
 *   <li>{@code dev.switchyard.bench.encoders} measures pretrained encoders, with JMH.
 *   <li>{@code dev.switchyard.bench.suites} runs these benchmarks, and {@code
 *       dev.switchyard.bench.report} makes a page of what they measured.
 *   <li>{@code dev.switchyard.bench.soak} trains for hours, with faults.
 *   <li>{@code dev.switchyard.bench.doctor} tells what there is on a machine.
 *   <li>{@code dev.switchyard.bench.command} is what the commands have in common.
 * </ul>
 *
 * <p>{@code kernels}, {@code encoders}, {@code peers}, {@code suites}, {@code soak} and {@code
 * provider} are a module of their own, {@code bench/measure}, with the libraries to compare with.
 * The others are built without it, and find it through {@code dev.switchyard.bench.measuring}. None
 * is called by the library.
 */
package dev.switchyard.bench;
