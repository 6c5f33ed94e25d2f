/**
 * How parameters are updated: {@link dev.switchyard.layers.optim.AdamW}, with a learning rate such
 * as {@link dev.switchyard.layers.optim.WarmupCosine} gives.
 */
package dev.switchyard.layers.optim;
