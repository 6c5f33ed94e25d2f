/** Layers made of others: {@link dev.switchyard.layers.block.Sequential}, one after the other. */
package dev.switchyard.layers.block;
