/** {@code switchyard doctor}: what there is to know about this machine, JVM and library. */
package dev.switchyard.bench.doctor;
