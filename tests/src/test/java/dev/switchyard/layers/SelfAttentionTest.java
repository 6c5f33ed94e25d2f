package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.attention.SelfAttention;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention within sequences, short ones and ones longer than a block of queries. */
@ParameterizedClass(name = "causal: {0}")
@ValueSource(booleans = {false, true})
class SelfAttentionTest {
  private static final int FEATURES = 6;
  private static final int HEADS = 2;

  /** Softmax, products and linear layers of this size are each good to about 1e-6. */
  private static final double BOUND = 1e-5;

  private final Kernels kernels = Fixtures.kernels("vector", 2);
  private final boolean causal;
  private final SelfAttention layer;

  SelfAttentionTest(boolean causal) {
    this.causal = causal;
    layer = new SelfAttention("a", FEATURES, HEADS, causal, Precision.FLOAT32, Fixtures.RANDOM);
  }

  @Test
  void outputFollowsTheFormula() {
    Fixtures.disturb(layer.parameters(), 0.3f);
    Sequences sequences = Sequences.ofLengths(1, 300, 0, 13, 520);
    FloatMatrix x = Fixtures.gaussian(sequences.tokens(), FEATURES, 1);
    FloatMatrix y = layer.forward(Tape.none(kernels), Tensor.of(x), sequences).value();
    double[][] qkv = linear(x, 0);
    double[][] mixed = new double[x.rows()][FEATURES];
    for (int s = 0; s < sequences.count(); s++) {
      for (int head = 0; head < HEADS; head++) {
        attend(qkv, sequences.start(s), sequences.length(s), head, mixed);
      }
    }
    FloatMatrix rounded = FloatMatrix.allocate(x.rows(), FEATURES);
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < FEATURES; j++) {
        rounded.set(i, j, (float) mixed[i][j]);
      }
    }
    double[][] expected = linear(rounded, 2);
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < FEATURES; j++) {
        assertThat((double) y.get(i, j)).isCloseTo(expected[i][j], within(BOUND));
      }
    }
  }

  private double[][] linear(FloatMatrix x, int parameter) {
    FloatMatrix w = layer.parameters().get(parameter).value();
    FloatMatrix b = layer.parameters().get(parameter + 1).value();
    double[][] y = new double[x.rows()][w.rows()];
    for (int i = 0; i < x.rows(); i++) {
      for (int j = 0; j < w.rows(); j++) {
        y[i][j] = b.get(0, j);
        for (int k = 0; k < w.cols(); k++) {
          y[i][j] += (double) x.get(i, k) * w.get(j, k);
        }
      }
    }
    return y;
  }

  private void attend(double[][] qkv, int start, int length, int head, double[][] out) {
    int d = FEATURES / HEADS;
    for (int i = start; i < start + length; i++) {
      int seen = causal ? i - start + 1 : length;
      double[] p = new double[seen];
      double sum = 0;
      for (int t = 0; t < seen; t++) {
        double score = 0;
        for (int k = head * d; k < (head + 1) * d; k++) {
          score += qkv[i][k] * qkv[start + t][FEATURES + k];
        }
        p[t] = Math.exp(score / Math.sqrt(d));
        sum += p[t];
      }
      for (int t = 0; t < seen; t++) {
        for (int k = head * d; k < (head + 1) * d; k++) {
          out[i][k] += p[t] / sum * qkv[start + t][2 * FEATURES + k];
        }
      }
    }
  }

  /**
   * Along a direction that has the signs of the gradient, no two parts of the slope cancel: an
   * error in any block of queries or keys shows.
   */
  @Test
  void gradientOfALongSequenceIsItsSlope() {
    Fixtures.disturb(layer.parameters(), 0.3f);
    Sequences sequences = Sequences.ofLengths(3, 300, 5);
    FloatMatrix x = Fixtures.gaussian(sequences.tokens(), FEATURES, 2);
    FloatMatrix r = Fixtures.gaussian(sequences.tokens(), FEATURES, 3);
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    tape.backward(layer.forward(tape, input, sequences), r);
    float[] gradient = Fixtures.values(input.grad());
    for (long seed = 4; seed < 8; seed++) {
      FloatMatrix direction = Fixtures.gaussian(sequences.tokens(), FEATURES, seed);
      double expected = 0;
      for (int i = 0; i < gradient.length; i++) {
        direction.data()[i] = Math.abs(direction.data()[i]) * gradient[i];
        expected += (double) gradient[i] * direction.data()[i];
      }
      double h = 1.0 / 256;
      double slope =
          (8 * (loss(x, direction, h, r, sequences) - loss(x, direction, -h, r, sequences))
                  - loss(x, direction, 2 * h, r, sequences)
                  + loss(x, direction, -2 * h, r, sequences))
              / (12 * h);
      assertThat(slope).isCloseTo(expected, withinPercentage(0.1));
    }
  }

  private double loss(
      FloatMatrix x, FloatMatrix direction, double h, FloatMatrix r, Sequences sequences) {
    FloatMatrix moved = x.copy();
    for (int i = 0; i < moved.data().length; i++) {
      moved.data()[i] += (float) h * direction.data()[i];
    }
    FloatMatrix y = layer.forward(Tape.none(kernels), Tensor.of(moved), sequences).value();
    double sum = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        sum += (double) y.get(i, j) * r.get(i, j);
      }
    }
    return sum;
  }

  /** The same numbers in the same order, whichever layer makes them. */
  @Test
  void separateQueriesComputeTheSame() {
    Fixtures.disturb(layer.parameters(), 0.3f);
    SelfAttention separate = layer.separateQueries();
    Sequences sequences = Sequences.ofLengths(1, 300, 0, 13);
    Tensor x = Tensor.of(Fixtures.gaussian(sequences.tokens(), FEATURES, 1));
    Tape none = Tape.none(kernels);
    assertThat(Fixtures.values(separate.forward(none, x, sequences).value()))
        .isEqualTo(Fixtures.values(layer.forward(none, x, sequences).value()));
    assertThat(separate.parameters().stream().map(Parameter::name))
        .containsExactly(
            "a.query.weight",
            "a.query.bias",
            "a.keyValue.weight",
            "a.keyValue.bias",
            "a.out.weight",
            "a.out.bias");
    assertThat(separate.separateQueries()).isSameAs(separate);
  }

  @Test
  void contextHasToFit() {
    Tape none = Tape.none(kernels);
    Tensor x = Tensor.of(Fixtures.gaussian(4, FEATURES, 1));
    Tensor context = Tensor.of(Fixtures.gaussian(5, FEATURES, 2));
    Sequences four = Sequences.ofLengths(1, 3);
    Sequences five = Sequences.ofLengths(2, 3);
    assertThatThrownBy(() -> layer.forward(none, x, four, context, five, null))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "a.qkv makes queries, keys and values of the same tokens (expected separateQueries())");
    SelfAttention separate = layer.separateQueries();
    assertThatThrownBy(() -> separate.forward(none, x, four, context, Sequences.ofLengths(5), null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "queries are 2 sequences of 4 tokens but keys are 1 sequences of 5 tokens (expected as"
                + " many)");
    Tensor gates = Tensor.of(Fixtures.gaussian(4, 1, 3));
    if (causal) {
      assertThatThrownBy(() -> separate.forward(none, x, four, context, five, null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "causal attention of 2 sequences of 4 tokens to 2 sequences of 5 tokens (expected the"
                  + " same tokens)");
    } else {
      assertThatThrownBy(() -> separate.forward(none, x, four, context, five, gates))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("gates are 4x1 but there are 5 rows (expected 5x1)");
    }
  }

  @Test
  void sequencesDoNotSeeEachOther() {
    FloatMatrix x = Fixtures.gaussian(18, FEATURES, 1);
    Tape none = Tape.none(kernels);
    FloatMatrix together = layer.forward(none, Tensor.of(x), Sequences.ofLengths(7, 11)).value();
    FloatMatrix first =
        layer.forward(none, Tensor.of(x.rowRange(0, 7)), Sequences.ofLengths(7)).value();
    FloatMatrix second =
        layer.forward(none, Tensor.of(x.rowRange(7, 18)), Sequences.ofLengths(11)).value();
    assertThat(Fixtures.values(together.rowRange(0, 7))).isEqualTo(Fixtures.values(first));
    assertThat(Fixtures.values(together.rowRange(7, 18))).isEqualTo(Fixtures.values(second));
  }

  /** Bit for bit: what comes later has no part at all in what came before. */
  @Test
  void causalAttentionDoesNotSeeTheFuture() {
    FloatMatrix x = Fixtures.gaussian(600, FEATURES, 1);
    FloatMatrix changed = x.copy();
    for (int i = 400; i < 600; i++) {
      changed.set(i, 0, 1e6f);
    }
    FloatMatrix y = forward(x);
    FloatMatrix other = forward(changed);
    boolean same =
        Arrays.equals(Fixtures.values(y.rowRange(0, 400)), Fixtures.values(other.rowRange(0, 400)));
    assertThat(same).isEqualTo(causal);
  }

  private FloatMatrix forward(FloatMatrix x) {
    return layer.forward(Tape.none(kernels), Tensor.of(x), Sequences.ofLengths(x.rows())).value();
  }
}
