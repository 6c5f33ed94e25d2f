package dev.switchyard.layers.optim;

/**
 * What a {@link StabilityMonitor} has measured.
 *
 * @param step of the training, from 0
 * @param name of a parameter or a block, or {@code loss}
 * @param quantity what of it
 * @param value how much
 */
public record Measurement(long step, String name, String quantity, double value) {}
