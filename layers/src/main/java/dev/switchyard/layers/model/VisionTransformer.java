package dev.switchyard.layers.model;

import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.PatchEmbedding;
import java.util.List;

/**
 * A vision transformer (Dosovitskiy et al. 2021): patches, blocks, and a head that looks at the
 * tokens of an image. Usually embedding and head compute in float32 and the blocks in int8, as in
 * Wortsman et al. 2023.
 *
 * @param embedding makes tokens of images
 * @param blocks mixes the tokens
 * @param head makes scores or an embedding of the tokens of an image
 */
public record VisionTransformer(PatchEmbedding embedding, Transformer blocks, SequenceHead head)
    implements Layer {
  // x [images, channels height width] -> y [images, classes or size]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    Sequences sequences = embedding.sequences(x.rows());
    Tensor tokens = embedding.forward(tape, x);
    return head.forward(tape, blocks.forward(tape, tokens, sequences), sequences);
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(embedding, blocks, head);
  }
}
