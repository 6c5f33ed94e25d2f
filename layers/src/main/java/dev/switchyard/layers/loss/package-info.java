/**
 * What is to become less: {@link dev.switchyard.layers.loss.CrossEntropy} of scores with labels,
 * {@link dev.switchyard.layers.loss.BinaryCrossEntropy} with probabilities, {@link
 * dev.switchyard.layers.loss.MeanSquaredError} from a target, {@link
 * dev.switchyard.layers.loss.ContrastiveLoss} of pairs. Each refuses a loss that is not finite, or
 * lets it pass, as the kernels' policy says.
 */
package dev.switchyard.layers.loss;
