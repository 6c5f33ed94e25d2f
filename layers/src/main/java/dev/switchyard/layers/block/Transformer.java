package dev.switchyard.layers.block;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Recomputed;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Transformer blocks, one after the other. With stochastic depth, the first block is never left
 * out, the last at the full rate, and those in between in proportion (Huang et al. 2016, section
 * 3).
 */
public final class Transformer implements SequenceLayer {
  private final List<SequenceLayer> blocks;

  /**
   * Given blocks.
   *
   * @param blocks all of which take and give the same number of features
   */
  public Transformer(List<? extends SequenceLayer> blocks) {
    this.blocks = List.copyOf(blocks);
  }

  /**
   * Blocks with random weights as in {@link dev.switchyard.layers.Linear}.
   *
   * @param name prefix of the parameters' names: block i is {@code name.block<i>}
   * @param depth how many blocks
   * @param options what the blocks are like
   * @param random where the weights and masks come from: a {@linkplain CounterRandom#split split}
   *     for it alone, as the same generator gives two layers the same numbers
   * @throws IllegalArgumentException if the depth is negative
   */
  public Transformer(String name, int depth, BlockOptions options, CounterRandom random) {
    this(blocks(name, depth, options, random));
  }

  private static List<SequenceLayer> blocks(
      String name, int depth, BlockOptions options, CounterRandom random) {
    if (depth < 0) {
      throw new IllegalArgumentException("depth is " + depth + " (expected 0 or more)");
    }
    List<SequenceLayer> blocks = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      float rate = depth == 1 ? 0 : options.stochasticDepth() * i / (depth - 1);
      TransformerBlock block =
          new TransformerBlock(
              name + ".block" + i, options.withStochasticDepth(rate), random.split(i));
      blocks.add(options.recompute() ? new Recomputed(block) : block);
    }
    return blocks;
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    Tensor y = x;
    for (SequenceLayer block : blocks) {
      Tensor before = y;
      y = block.forward(tape, before, sequences);
      if (before != x) {
        tape.release(before);
      }
    }
    return y;
  }

  @Override
  public List<? extends Model> parts() {
    return blocks;
  }
}
