/**
 * Results as a page: {@code switchyard report}.
 *
 * <p>{@link dev.switchyard.bench.report.ResultFolder} reads what {@code switchyard bench} and
 * {@code switchyard train} have written. {@link dev.switchyard.bench.report.SuiteResults} are the
 * measurements of one suite, each a {@link dev.switchyard.bench.report.Measurement} with its {@link
 * dev.switchyard.bench.report.Spread}. The sections of the page are made by {@link
 * dev.switchyard.bench.report.SuiteSection}, {@link dev.switchyard.bench.report.Roofline}, {@link
 * dev.switchyard.bench.report.SweepSection} and {@link
 * dev.switchyard.bench.report.TrainingSection}; {@link dev.switchyard.bench.report.Comparison} sets
 * two folders side by side.
 */
package dev.switchyard.bench.report;
