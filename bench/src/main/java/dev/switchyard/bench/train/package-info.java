/**
 * {@code switchyard train}: a small vision transformer trained once for each precision, from the
 * same seed and in the same order of batches, and the outcomes side by side.
 *
 * <p>{@link dev.switchyard.bench.train.TrainCommand} reads the options and tells the story; a
 * training reports each step to a {@link dev.switchyard.bench.train.StepListener} (shown by {@link
 * dev.switchyard.bench.train.TrainingProgress}) and ends in a {@link
 * dev.switchyard.bench.train.TrainingResult}. {@link dev.switchyard.bench.train.ResultTable} is for
 * the terminal, {@link dev.switchyard.bench.train.ResultWriter} for the output folder.
 */
package dev.switchyard.bench.train;
