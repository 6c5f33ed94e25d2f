/**
 * {@code switchyard train}: small transformers trained once for each precision, from the same seed
 * and in the same order of batches, and the outcomes side by side. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.bench.train.TrainCommand} reads the options and tells the story.
 *   <li>A {@code Trainer} trains the model of a {@code TrainingTask}, {@code Classification} or
 *       {@code ImagesAndTexts}, and keeps it as a {@code TrainingRun}, so that it can go on after
 *       an {@code Interruption}.
 *   <li>It reports each step to a {@link dev.switchyard.bench.train.StepListener} (shown by {@link
 *       dev.switchyard.bench.train.TrainingProgress}) and ends in a {@link
 *       dev.switchyard.bench.train.TrainingResult}.
 *   <li>{@link dev.switchyard.bench.train.ResultTable} is for the terminal, {@link
 *       dev.switchyard.bench.train.ResultWriter} for the output folder.
 * </ul>
 */
package dev.switchyard.bench.train;
