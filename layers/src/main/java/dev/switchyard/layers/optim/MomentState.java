package dev.switchyard.layers.optim;

/**
 * The state of one parameter in an optimizer.
 *
 * @param name the parameter's name
 * @param step how often it was updated
 * @param m first moments, as many as the parameter has elements
 * @param v second moments, zeros where the optimizer has none
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier, never compared
public record MomentState(String name, int step, float[] m, float[] v) {}
