/** How work is spread over threads; depends on nothing else in Switchyard. */
package dev.switchyard.kernels.parallel;
