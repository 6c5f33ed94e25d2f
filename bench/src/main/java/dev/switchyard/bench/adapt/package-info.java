/**
 * {@code switchyard adapt} and {@code switchyard predict}: conditional adapters on a pretrained
 * encoder. Read from the top down:
 *
 * <ul>
 *   <li>{@link dev.switchyard.bench.adapt.AdaptCommand} trains each {@code Variant} by an {@code
 *       Adaptation}, as {@code AdaptOptions} say, and measures its {@code Quality} and its {@code
 *       Throughput}; {@code Outcome}s become a table, and with {@code RoutedWords} a page ({@code
 *       AdaptReport}).
 *   <li>A {@code Classifier} reads {@code Tokens}; a {@code SavedClassifier} is what {@link
 *       dev.switchyard.bench.adapt.PredictCommand} takes.
 * </ul>
 */
package dev.switchyard.bench.adapt;
