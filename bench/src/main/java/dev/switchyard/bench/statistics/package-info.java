/**
 * What can be told from measurements: an {@link dev.switchyard.bench.statistics.Interval} for what
 * was estimated, and the {@link dev.switchyard.bench.statistics.Answer} that it gives to a
 * question.
 */
package dev.switchyard.bench.statistics;
