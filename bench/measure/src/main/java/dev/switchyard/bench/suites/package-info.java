/**
 * The JMH benchmarks as suites: {@code switchyard bench}.
 *
 * <p>A {@link dev.switchyard.bench.report.Suite} is a benchmark class with shapes and contestants;
 * {@link dev.switchyard.bench.suites.SuiteRun} measures each pair of them in a JVM of its own,
 * round after round, and keeps what JMH says in {@code SUITE.json}; {@link
 * dev.switchyard.bench.report.Roofs} are the limits of the machine that results are held against.
 */
package dev.switchyard.bench.suites;
