/**
 * The loop around a model, for those who would write the usual one: a {@link
 * dev.switchyard.layers.training.Trainer} goes through {@link
 * dev.switchyard.layers.training.Batches}, and tells a {@link
 * dev.switchyard.layers.training.TrainingListener} how it goes. It uses nothing that a loop of
 * one's own could not.
 */
package dev.switchyard.layers.training;
