/**
 * Functions of each element, between linear layers: {@link dev.switchyard.layers.activation.Gelu},
 * {@link dev.switchyard.layers.activation.Relu}, {@link dev.switchyard.layers.activation.Silu},
 * {@link dev.switchyard.layers.activation.Tanh}, {@link dev.switchyard.layers.activation.Softplus}.
 */
package dev.switchyard.layers.activation;
