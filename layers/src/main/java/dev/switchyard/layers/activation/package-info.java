/**
 * Functions of each element, between linear layers: {@link dev.switchyard.layers.activation.Gelu}.
 */
package dev.switchyard.layers.activation;
