package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.block.StochasticDepth;
import dev.switchyard.layers.block.Transformer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is dropped at random: elements, and branches for whole sequences. */
class DropoutTest {
  private static final float RATE = 0.25f;
  private static final Sequences SEQUENCES = Sequences.uniform(4000, 3);

  private final Kernels kernels = Fixtures.kernels("vector", 2);
  private final Dropout dropout = new Dropout(RATE, RANDOM);
  private final StochasticDepth depth = new StochasticDepth(RATE, RANDOM);

  private float[] mask(Tape tape) {
    return Fixtures.values(dropout.forward(tape, Tensor.of(ones(50, 40))).value());
  }

  private static FloatMatrix ones(int rows, int cols) {
    FloatMatrix x = FloatMatrix.allocate(rows, cols);
    Arrays.fill(x.data(), 1);
    return x;
  }

  @Test
  void gradientGoesThroughTheMaskOfTheOutput() {
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(ones(50, 40));
    Tensor y = dropout.forward(tape, x);
    float[] mask = Fixtures.values(y.value());
    FloatMatrix g = gaussian(50, 40, 2);
    tape.backward(y, g);
    for (int i = 0; i < mask.length; i++) {
      assertThat(mask[i]).isIn(0f, 1 / (1 - RATE));
      assertThat(Fixtures.values(x.grad())[i]).isEqualTo(mask[i] * g.data()[i]);
    }
    assertThat(tape.bytesForBackward()).as("the mask is drawn again").isZero();
  }

  @Test
  void masksDifferBetweenUsesAndSteps() {
    Tape tape = Tape.recording(kernels);
    float[] first = mask(tape);
    float[] second = mask(tape);
    tape.reset();
    float[] nextStep = mask(tape);
    assertThat(second).isNotEqualTo(first);
    assertThat(nextStep).isNotEqualTo(first).isNotEqualTo(second);
  }

  @Test
  void aResumedRunDrawsTheMasksOfItsStep() {
    Tape whole = Tape.recording(kernels);
    for (int step = 1; step < 5; step++) {
      mask(whole);
      whole.reset();
    }
    Tape resumed = Tape.recording(Fixtures.kernels("reference", 1));
    resumed.resumeAfter(4);
    assertThat(mask(resumed)).isEqualTo(mask(whole));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> resumed.resumeAfter(3))
        .withMessage(
            "a run of 3 steps cannot go on with a tape that has made 4 (expected a new tape)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> resumed.resumeAfter(Long.MAX_VALUE))
        .withMessage("a run of 9223372036854775807 steps has no next step (expected fewer)");
    dropout.forward(resumed, Tensor.withGrad(ones(2, 2)));
    assertThatIllegalStateException()
        .isThrownBy(() -> resumed.resumeAfter(5))
        .withMessage("step 5 has begun (expected a new tape, or one after reset())");
  }

  @Test
  void nothingIsDroppedInInference() {
    Tensor x = Tensor.of(ones(50, 40));
    assertThat(dropout.forward(Tape.none(kernels), x)).isSameAs(x);
    Tensor tokens = Tensor.of(ones(SEQUENCES.tokens(), 2));
    assertThat(depth.forward(Tape.none(kernels), tokens, SEQUENCES)).isSameAs(tokens);
  }

  /** 4,000 sequences: five standard deviations are 3.4 percent. */
  @Test
  void depthDropsWholeSequences() {
    Tape tape = Tape.recording(kernels);
    Tensor x = Tensor.withGrad(ones(SEQUENCES.tokens(), 2));
    Tensor y = depth.forward(tape, x, SEQUENCES);
    float[] factors = Fixtures.values(y.value());
    int dropped = 0;
    for (int s = 0; s < SEQUENCES.count(); s++) {
      float factor = factors[6 * s];
      assertThat(factor).isIn(0f, 1 / (1 - RATE));
      assertThat(Arrays.copyOfRange(factors, 6 * s, 6 * s + 6)).containsOnly(factor);
      dropped += factor == 0 ? 1 : 0;
    }
    double deviation = Math.sqrt(RATE * (1 - RATE) / SEQUENCES.count());
    assertThat((double) dropped / SEQUENCES.count()).isCloseTo(RATE, within(5 * deviation));

    FloatMatrix g = gaussian(SEQUENCES.tokens(), 2, 2);
    tape.backward(y, g);
    for (int i = 0; i < factors.length; i++) {
      assertThat(Fixtures.values(x.grad())[i]).isEqualTo(factors[i] * g.data()[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {-0.1f, 1, Float.NaN})
  void refusesARateThatIsNone(float rate) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Dropout(rate, RANDOM))
        .withMessage("dropout is " + rate + " (expected 0 or more, and less than 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new StochasticDepth(rate, RANDOM))
        .withMessage("stochastic depth is " + rate + " (expected 0 or more, and less than 1)");
  }

  /** At a rate of 0.999, the last block is left out of nearly all sequences, the first of none. */
  @Test
  void depthRisesFromBlockToBlock() {
    float[] input = gaussian(64, 8, 1).data();
    float[] one = afterBlocks(1);
    float[] two = afterBlocks(2);
    int unchanged = 0;
    for (int s = 0; s < 16; s++) {
      assertThat(one[s * 32]).isNotEqualTo(input[s * 32]);
      unchanged += two[s * 32] == one[s * 32] ? 1 : 0;
    }
    assertThat(unchanged).isGreaterThan(13);
  }

  private float[] afterBlocks(int depth) {
    BlockOptions options = BlockOptions.of(8, 2, Precision.FLOAT32).withStochasticDepth(0.999f);
    Transformer blocks = new Transformer("t", depth, options, RANDOM);
    Tensor x = Tensor.of(gaussian(64, 8, 1));
    return Fixtures.values(
        blocks.forward(Tape.recording(kernels), x, Sequences.uniform(16, 4)).value());
  }
}
