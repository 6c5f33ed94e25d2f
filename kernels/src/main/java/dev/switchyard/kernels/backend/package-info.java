/**
 * What a backend supplies: the inner loops of each operation, over arrays and indices that the
 * driver has checked. {@code reference} is plain Java and obviously right; {@code vector} uses the
 * JDK Vector API; {@code emitted} runs machine code that {@code x86} emits. Integer results are the
 * same bit for bit on every backend.
 *
 * <p>Depends on the data package alone. Not exported.
 */
package dev.switchyard.kernels.backend;
