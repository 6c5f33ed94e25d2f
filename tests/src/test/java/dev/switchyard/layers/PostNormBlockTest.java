package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.norm.LayerNorm;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The block of given layers, and what the constructors over given parameters refuse. */
class PostNormBlockTest {
  private final Tape none = Tape.none(Fixtures.kernels("vector", 2));

  private static Linear linear(int in, int out) {
    return new Linear("l", in, out, Precision.FLOAT32, Fixtures.RANDOM);
  }

  /** Without weights in the branches, two normalizations are left. */
  @Test
  void normalizesAfterAdding() {
    Linear qkv = linear(5, 15);
    Linear out = linear(5, 5);
    Linear up = linear(5, 7);
    Linear down = linear(7, 5);
    for (Parameter parameter : Model.concat(out.parameters(), down.parameters())) {
      Arrays.fill(parameter.value().data(), 0);
      parameter.markChanged();
    }
    LayerNorm norm1 = new LayerNorm("n1", 5);
    LayerNorm norm2 = new LayerNorm("n2", 5);
    Fixtures.disturb(norm1.parameters(), 0.5f);
    PostNormBlock block =
        new PostNormBlock(new SelfAttention(1, qkv, out), norm1, new FeedForward(up, down), norm2);

    Tensor x = Tensor.of(Fixtures.gaussian(4, 5, 1));
    FloatMatrix y = block.forward(none, x, Sequences.ofLengths(3, 1)).value();
    FloatMatrix expected = norm2.forward(none, norm1.forward(none, x)).value();
    assertThat(Fixtures.values(y)).isEqualTo(Fixtures.values(expected));
    assertThat(block.parameters()).hasSize(12).doesNotHaveDuplicates();
  }

  @Test
  void epsilonIsWhatIsAddedToTheVariance() {
    LayerNorm norm = new LayerNorm(Parameter.vector("g", 1, 1), Parameter.vector("b", 0, 0), 3);
    FloatMatrix x = FloatMatrix.of(new float[] {-1, 1}, 1, 2); // variance 1
    assertThat(norm.forward(none, Tensor.of(x)).value().get(0, 1)).isCloseTo(0.5f, within(1e-6f));
  }

  @Test
  void givenLayersHaveToFit() {
    assertThatThrownBy(() -> new SelfAttention(1, linear(5, 10), linear(5, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "queries, keys and values come from l.weight 10x5 and go to l.weight 5x5 (expected 3n x"
                + " n and n columns)");
    assertThatThrownBy(() -> new SelfAttention(1, linear(5, 15), linear(4, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("go to l.weight 5x4");
    assertThatThrownBy(() -> new SelfAttention(2, linear(5, 15), linear(5, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "l has 5 features and 2 heads (expected 1 or more heads that divide the"
                + " features)");
    Parameter two = Parameter.vector("two", 1, 2);
    assertThatThrownBy(() -> new LayerNorm(two, Parameter.vector("b", 1), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("gamma is two 1x2 but beta is b 1x1 (expected two equal rows)");
    assertThatThrownBy(() -> new LayerNorm(two, two, Float.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("eps is NaN (expected a finite number above 0)");
  }
}
