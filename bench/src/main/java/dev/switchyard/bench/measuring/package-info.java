/**
 * What the command asks of the module that measures, which brings the libraries to compare with and
 * is not always there: {@link dev.switchyard.bench.measuring.Measuring} is found by {@code
 * ServiceLoader}.
 */
package dev.switchyard.bench.measuring;
