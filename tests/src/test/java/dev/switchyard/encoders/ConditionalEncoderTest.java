package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.coda.AdapterFile;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.io.Fingerprint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An adapted encoder, against the encoder. */
class ConditionalEncoderTest {
  private static final CounterRandom RANDOM = new CounterRandom(1);
  private static final int[] IDS = {1, 4, 5, 6, 2, 1, 7, 8, 2, 1, 2};
  private static final Sequences TEXTS = Sequences.ofLengths(5, 4, 2);
  private static final CodaOptions THREE =
      CodaOptions.of(3, Precision.FLOAT32).withAdapter(4, 1, true, 0);

  @TempDir Path folder;

  private final Tape none =
      Tape.none(Kernels.create(BackendChoice.named("vector"), Parallel.ofThreads(2)));
  private Path model;

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder);
  }

  private float[] states(ConditionalEncoder encoder) {
    return encoder.forward(none, IDS, TEXTS).value().data();
  }

  @Test
  void beginsAsTheEncoder() throws IOException {
    BertEncoder base = TinyModel.read(model, Precision.SWITCHBACK);
    CodaOptions one = THREE.withReduction(1).withAttention(HeavyAttention.CHOSEN_TO_CHOSEN);
    ConditionalEncoder adapted = new ConditionalEncoder(base, one, RANDOM);
    assertThat(states(adapted)).isEqualTo(base.forward(none, IDS, TEXTS).value().data());
    assertThat(adapted.adapters()).hasSize(2);
    assertThat(adapted.linears()).hasSize(2 * (4 + 2));
  }

  @Test
  void sharesWhatWasPretrainedAndFreezesIt() throws IOException {
    BertEncoder base = TinyModel.read(model, Precision.FLOAT32);
    String before = Fingerprint.of(base.parameters());
    ConditionalEncoder adapted =
        new ConditionalEncoder(base, THREE.withAttention(HeavyAttention.CHOSEN_TO_CHOSEN), RANDOM);
    assertThat(base.parameters()).allMatch(Parameter::frozen);
    assertThat(adapted.learned()).noneMatch(Parameter::frozen);
    assertThat(adapted.added()).hasSize(2 * 7).isSubsetOf(adapted.learned());
    for (Parameter parameter : adapted.learned()) {
      parameter.value().data()[0] += 1;
      parameter.markChanged();
    }
    assertThat(Fingerprint.of(base.parameters())).isEqualTo(before);
    assertThat(adapted.parameters()).containsAll(adapted.learned()).doesNotHaveDuplicates();
    // But for its own normalizations, of which there are copies.
    assertThat(base.parameters().stream().filter(p -> !adapted.parameters().contains(p)))
        .allMatch(p -> p.name().contains("LayerNorm"))
        .hasSize(2 * 4);
  }

  @Test
  void goesThroughAFile() throws IOException {
    ConditionalEncoder first =
        new ConditionalEncoder(TinyModel.read(model, Precision.FLOAT32), THREE, RANDOM);
    for (Parameter parameter : first.learned()) {
      parameter.value().data()[0] += 0.5f;
      parameter.markChanged();
    }
    Path file = folder.resolve("adapter");
    first.toFile(List.of(), 3, Map.of()).write(file);
    ConditionalEncoder second =
        new ConditionalEncoder(
            TinyModel.read(model, Precision.FLOAT32), THREE, new CounterRandom(2));
    assertThat(states(second)).isNotEqualTo(states(first));
    second.load(AdapterFile.read(file), List.of());
    assertThat(states(second)).isEqualTo(states(first));
    assertThat(states(second.withReduction(2))).isNotEqualTo(states(first));

    BertEncoder other = TinyModel.read(model, Precision.FLOAT32);
    other.parameters().getLast().value().data()[0] += 1;
    ConditionalEncoder wrong = new ConditionalEncoder(other, THREE, RANDOM);
    assertThatThrownBy(() -> wrong.load(AdapterFile.read(file), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected the same pretrained model");
  }
}
