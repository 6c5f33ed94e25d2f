/**
 * How work is spread over threads; depends on the stack alone. {@link
 * dev.switchyard.kernels.parallel.Parallel} shares the tasks of a {@code Call} with helpers, who
 * are {@code Helpers} and wait for the next.
 */
package dev.switchyard.kernels.parallel;
