package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.norm.LayerNorm;
import java.util.List;

/**
 * A transformer block in its two halves, attention and feed-forward part, each with its residual
 * connection and its normalization, so that each can be computed for some tokens alone:
 *
 * <pre>
 *   h = attend(x, context)      y = transform(h)
 * </pre>
 *
 * A row of h depends on its own row of x and on the context, a row of y on its own row of h: the
 * rows of some tokens are the same bits whether the others are computed or not.
 */
public interface ResidualBlock extends SequenceLayer {
  /**
   * The first half, for tokens that attend to all tokens of a context, sequence by sequence.
   *
   * @param tape records and computes
   * @param x [queries, features]
   * @param ofX which rows of x form a sequence
   * @param context [keys, features], which may be x itself
   * @param ofContext which rows of the context form a sequence
   * @param gates [keys, 1], what the values of attention are multiplied by; null for 1
   * @return h [queries, features]
   * @throws IllegalArgumentException as {@link
   *     dev.switchyard.layers.attention.SelfAttention#forward(Tape, Tensor, Sequences, Tensor,
   *     Sequences, Tensor)} does
   * @throws IllegalStateException if the context is not x and the queries are not separate
   */
  Tensor attend(
      Tape tape, Tensor x, Sequences ofX, Tensor context, Sequences ofContext, Tensor gates);

  /**
   * The second half.
   *
   * @param tape records and computes
   * @param h [tokens, features]
   * @param sequences which rows of h form a sequence
   * @return y [tokens, features]
   */
  Tensor transform(Tape tape, Tensor h, Sequences sequences);

  /**
   * The same block with queries that are computed apart from keys and values, see {@link
   * dev.switchyard.layers.attention.SelfAttention#separateQueries()}. All other layers are the same
   * objects.
   *
   * @return the block
   */
  ResidualBlock withSeparateQueries();

  /**
   * The same block with copies of its normalizations, so that those can learn for a task while this
   * block stays as it is. All other layers are the same objects.
   *
   * @return the block
   */
  ResidualBlock withOwnNorms();

  /**
   * The layer normalizations inside.
   *
   * @return the layers, in the order of computation
   */
  List<LayerNorm> norms();

  /**
   * Whether a token attends to those before it and to itself alone.
   *
   * @return true if so
   */
  boolean isCausal();

  // x [tokens, features] -> y [tokens, features]
  @Override
  default Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor h = attend(tape, x, sequences, x, sequences, null);
    Tensor y = transform(tape, h, sequences);
    tape.release(h);
    return y;
  }
}
