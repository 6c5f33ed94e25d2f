package dev.switchyard.kernels.data;

/**
 * The instruction that multiplies on registers alone, again and again: what no product can be
 * faster than.
 *
 * @param instruction its mnemonic and width, such as {@code vpdpbusd, 512 bits}
 * @param operations what a run computes, a multiply-add counted as two
 * @param run computes that many on the thread that calls, in about 50 us; any number of threads may
 *     run it at the same time
 */
public record PeakLoop(String instruction, long operations, Runnable run) {}
