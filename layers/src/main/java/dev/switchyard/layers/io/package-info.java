/**
 * Files that outlive a run. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.layers.io.TrainingState} makes a checkpoint of a run between two
 *       steps, and gives its state back to a model and its optimizer.
 *   <li>A {@link dev.switchyard.layers.io.CheckpointFolder} keeps the last few checkpoints of a run
 *       and finds the newest valid one.
 *   <li>A {@link dev.switchyard.layers.io.Checkpoint} is all that a run needs to go on bit for bit,
 *       with its {@link dev.switchyard.layers.io.Progress}; {@link
 *       dev.switchyard.layers.io.Weights} are what models of others have in their files too.
 *   <li>The format of both is safetensors: {@link dev.switchyard.layers.io.Safetensors} reads it,
 *       {@link dev.switchyard.layers.io.SafetensorsWriter} writes it, {@link
 *       dev.switchyard.layers.io.TensorInfo} and {@link dev.switchyard.layers.io.Dtype} say what a
 *       file holds, a {@link dev.switchyard.layers.io.MalformedFileException} what is wrong with
 *       it, and {@link dev.switchyard.layers.io.ForeignFile} what else it may be.
 *   <li>A {@link dev.switchyard.layers.io.Fingerprint} tells models apart.
 *   <li>{@link dev.switchyard.layers.io.AtomicFile} writes any file so that it is complete or not
 *       there.
 * </ul>
 *
 * <p>Each object is for use by one thread at a time. Several threads, and several processes, may
 * write the same file: it is then what one of them wrote.
 */
package dev.switchyard.layers.io;
