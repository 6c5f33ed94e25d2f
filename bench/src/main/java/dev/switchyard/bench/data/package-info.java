/**
 * Images and labels for training, and the strict reader of the IDX files they come in.
 *
 * <p>From file to batch: {@link dev.switchyard.bench.data.IdxFile} is one checked file, {@link
 * dev.switchyard.bench.data.ImageDataset} joins images and labels and gathers batches, {@link
 * dev.switchyard.bench.data.FashionMnist} is the pair of training and test sets. Whatever is wrong
 * with a file is a {@link dev.switchyard.bench.data.DataException} of one sentence.
 */
package dev.switchyard.bench.data;
