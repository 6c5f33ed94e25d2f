package dev.switchyard.layers.model;

import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import java.util.List;

/**
 * A text transformer: token embeddings, positions, blocks, and a head that looks at the tokens of a
 * text. With causal blocks (Radford et al. 2021, section 2.4, the text tower of CLIP) the head
 * should look at {@link Pooling#LAST}, the only token that has seen all others.
 *
 * @param embedding makes vectors of token ids
 * @param positions says where in its text a token is
 * @param blocks mixes the tokens
 * @param head makes scores or an embedding of the tokens of a text
 */
public record TextTransformer(
    TokenEmbedding embedding, Positions positions, Transformer blocks, SequenceHead head)
    implements Model {
  // ids [tokens] -> y [texts, classes or size]
  /**
   * Computes the output and records on the tape how to go back.
   *
   * @param tape records and computes
   * @param ids of all tokens
   * @param texts which tokens form a text
   * @return a row for each text
   * @throws IllegalArgumentException if there is no such id, a text is too long, or the texts have
   *     not as many tokens as there are ids
   */
  public Tensor forward(Tape tape, int[] ids, Sequences texts) {
    texts.requireRows(ids.length);
    Tensor tokens = positions.forward(tape, embedding.forward(tape, ids), texts);
    return head.forward(tape, blocks.forward(tape, tokens, texts), texts);
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(embedding, positions, blocks, head);
  }
}
