package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.testkit.GradientCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The encoder against its equations, forward and back, in any shape and precision. */
class BertEncoderTest {
  private static final BertShape SMALL = new BertShape(11, 9, 2, 6, 2, 7, 2, 1e-3f);

  @TempDir Path folder;

  private final Kernels kernels =
      Kernels.create(BackendChoice.named("vector"), Parallel.ofThreads(2));

  private BertEncoder encoder(TinyBert bert, Precision precision) throws IOException {
    return BertEncoder.readSafetensors(bert.writeSafetensors(folder), bert.shape, precision);
  }

  private static int[] draw(int seed, int count, int below) {
    return IntStream.range(0, count)
        .map(i -> Integer.remainderUnsigned(CounterRandom.bits(seed, i), below))
        .toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 8, 16, 1e-12",
    "2, 2, 8, 5, 1e-5",
    "3, 4, 20, 33, 0.1",
    "1, 3, 9, 9, 1",
    "3, 1, 1, 2, 2"
  })
  void followsTheEquations(int depth, int heads, int features, int hidden, float eps)
      throws IOException {
    TinyBert bert = new TinyBert(new BertShape(23, 40, 2, features, heads, hidden, depth, eps));
    BertEncoder encoder = encoder(bert, Precision.FLOAT32);
    Sequences sequences = Sequences.ofLengths(3, 0, 40, 1, 17);
    int[] ids = draw(1, sequences.tokens(), 23);
    int[] types = draw(2, sequences.tokens(), 2);
    FloatMatrix y = encoder.forward(Tape.none(kernels), ids, types, sequences).value();
    double[][] expected = bert.forward(ids, types, sequences);
    for (int i = 0; i < ids.length; i++) {
      for (int j = 0; j < features; j++) {
        // A normalized value times a gain, off by some roundings in each of up to three blocks.
        assertThat((double) y.get(i, j)).isCloseTo(expected[i][j], within(2e-4));
      }
    }
    assertThat(encoder.shape()).isEqualTo(bert.shape);
  }

  @Test
  void tokensAreOfTypeZeroUnlessSaidOtherwise() throws IOException {
    BertEncoder encoder = encoder(new TinyBert(SMALL), Precision.FLOAT32);
    Sequences two = Sequences.ofLengths(2);
    Tape none = Tape.none(kernels);
    float[] y = encoder.forward(none, new int[] {3, 4}, two).value().data();
    assertThat(encoder.forward(none, new int[] {3, 4}, new int[2], two).value().data())
        .isEqualTo(y);
    assertThat(encoder.forward(none, new int[] {3, 4}, new int[] {0, 1}, two).value().data())
        .isNotEqualTo(y);
  }

  @Test
  void gradientsAreSlopes() throws IOException {
    BertEncoder encoder = encoder(new TinyBert(SMALL), Precision.FLOAT32);
    Sequences sequences = Sequences.ofLengths(9, 4);
    int[] ids = IntStream.range(0, 13).map(i -> i % 11).toArray(); // each at least once
    int[] types = draw(4, 13, 2);
    GradientCheck.check(
        kernels,
        (tape, x) -> tape.add(x, encoder.forward(tape, ids, types, sequences)),
        encoder.parameters(),
        FloatMatrix.allocate(13, 6));
  }

  /** After its weights are disturbed, it learns to compute what it did before. */
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = EnumSource.Mode.MATCH_NONE, names = "FP8_.*")
  void trainsInEveryPrecision(Precision precision) throws IOException {
    BertShape shape = new BertShape(50, 16, 2, 32, 4, 64, 2, 1e-12f);
    BertEncoder encoder = encoder(new TinyBert(shape), precision);
    AdamW optimizer = new AdamW(kernels, encoder.parameters(), AdamW.Settings.DEFAULT);
    Sequences sequences = Sequences.ofLengths(16, 5, 11);
    int[] ids = draw(5, 32, 50);
    FloatMatrix target = encoder.forward(Tape.none(kernels), ids, sequences).value();
    for (Parameter parameter : encoder.parameters()) {
      for (int i = 0; i < parameter.value().data().length; i++) {
        parameter.value().data()[i] += 0.05f * CounterRandom.gaussian(6, i);
      }
      parameter.markChanged();
    }
    Tape tape = Tape.recording(kernels);
    double first = 0;
    double last = 0;
    for (int step = 0; step < 60; step++) {
      Tensor y = encoder.forward(tape, ids, sequences);
      FloatMatrix grad = FloatMatrix.allocate(32, 32);
      last = 0;
      for (int i = 0; i < 32; i++) {
        for (int j = 0; j < 32; j++) {
          float difference = y.value().get(i, j) - target.get(i, j);
          last += difference * difference;
          grad.set(i, j, difference);
        }
      }
      first = step == 0 ? last : first;
      tape.backward(y, grad);
      optimizer.step(0.003f);
      optimizer.zeroGrad();
      tape.reset();
    }
    assertThat(last).isLessThan(first / 100);
  }

  @Test
  void frozenEncodersHaveNothingToGoBackTo() throws IOException {
    BertEncoder encoder = encoder(new TinyBert(SMALL), Precision.SWITCHBACK);
    encoder.parameters().forEach(parameter -> parameter.setFrozen(true));
    Tape tape = Tape.recording(kernels);
    Tensor y = encoder.forward(tape, new int[] {1, 2, 3}, Sequences.ofLengths(3));
    assertThat(y.wantsGrad()).isFalse();
    assertThat(tape.bytesForBackward()).isZero();
  }

  @Test
  void parametersKeepTheirNames() throws IOException {
    assertThat(encoder(new TinyBert(SMALL), Precision.FLOAT32).parameters())
        .extracting(Parameter::name)
        .doesNotHaveDuplicates()
        .hasSize(5 + 2 * 12)
        .contains(
            "embeddings.LayerNorm.bias",
            "encoder.layer.1.attention.self.qkv.weight",
            "encoder.layer.0.intermediate.dense.weight");
  }

  @Test
  void wrongInputsAreNamed() throws IOException {
    BertEncoder encoder = encoder(new TinyBert(SMALL), Precision.FLOAT32);
    Tape none = Tape.none(kernels);
    assertThatThrownBy(() -> encoder.forward(none, new int[10], Sequences.ofLengths(10)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sequence 0 has 10 tokens (expected at most 9, the positions of the model)");
    assertThatThrownBy(() -> encoder.forward(none, new int[3], Sequences.ofLengths(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("input has 3 rows");
    assertThatThrownBy(() -> encoder.forward(none, new int[2], new int[3], Sequences.ofLengths(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("2 tokens have 3 types (expected one each)");
    assertThatThrownBy(() -> encoder.forward(none, new int[] {11}, Sequences.ofLengths(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("id 0 is 11 (expected 0 to 10)");
  }
}
