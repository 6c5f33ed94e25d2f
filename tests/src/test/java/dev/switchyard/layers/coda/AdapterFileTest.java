package dev.switchyard.layers.coda;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.io.MalformedFileException;
import dev.switchyard.layers.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was learned, on its way through a file. */
class AdapterFileTest {
  private static final CodaOptions OPTIONS =
      CodaOptions.of(3, Precision.FLOAT32)
          .withAttention(HeavyAttention.CHOSEN_TO_CHOSEN)
          .withGate(
              Gate.STRAIGHT_THROUGH,
              new SoftTopK(
                  new SoftTopK.CoordinateDescent(30, 3, 0.5), new EpsSchedule(2, 0.9, 0.1), 1.25))
          .withAdapter(4, 2, true, 0.1f);

  @TempDir Path folder;

  private static PostNormBlock base() {
    return new PostNormBlock("b", 12, 2, 20, Precision.FLOAT32, RANDOM);
  }

  private static List<ConditionalAdapter> adapters(CodaOptions options, long seed) {
    return List.of(
        new ConditionalAdapter("c0", base(), options, new CounterRandom(seed)),
        new ConditionalAdapter(
            "c1",
            new PostNormBlock("d", 12, 2, 20, Precision.FLOAT32, RANDOM),
            options,
            new CounterRandom(seed + 1)));
  }

  private static String fingerprint() {
    return Fingerprint.of(base().parameters());
  }

  private Path written(CodaOptions options) throws IOException {
    List<ConditionalAdapter> adapters = adapters(options, 5);
    adapters.forEach(adapter -> Fixtures.disturb(adapter.learned(), 0.2f));
    Parameter head = Parameter.vector("head", 1, 2, 3);
    Path file = folder.resolve("adapter.safetensors");
    AdapterFile.of(fingerprint(), adapters, List.of(head), 17, Map.of("classes", "ham, spam"))
        .write(file);
    return file;
  }

  @Test
  void whatWasLearnedComesBack() throws IOException {
    Path file = written(OPTIONS);
    List<ConditionalAdapter> before = adapters(OPTIONS, 5);
    before.forEach(adapter -> Fixtures.disturb(adapter.learned(), 0.2f));
    before.forEach(adapter -> adapter.startStep(17));

    AdapterFile read = AdapterFile.read(file);
    assertThat(read.options()).isEqualTo(OPTIONS);
    assertThat(read.step()).isEqualTo(17);
    assertThat(read.notes()).containsExactly(Map.entry("classes", "ham, spam"));
    assertThat(read.base()).isEqualTo(fingerprint()).startsWith("sha256:").hasSize(71);
    List<ConditionalAdapter> after = adapters(read.options(), 6);
    Parameter head = Parameter.vector("head", 0, 0, 0);
    read.load(fingerprint(), after, List.of(head));

    assertThat(head.value().data()).containsExactly(1, 2, 3);
    Tape none = Tape.none(Fixtures.reference());
    Sequences sequences = Sequences.ofLengths(7, 2);
    Tensor x = Tensor.of(gaussian(9, 12, 3));
    for (int i = 0; i < 2; i++) {
      FloatMatrix expected = before.get(i).forward(none, x, sequences).value();
      assertThat(Fixtures.values(after.get(i).forward(none, x, sequences).value()))
          .isEqualTo(Fixtures.values(expected));
    }
    // Of the base there is nothing in it.
    assertThat(read.weights().keySet()).noneMatch(name -> name.contains("attention"));
  }

  /** Every kind of each option. */
  @Test
  void allOptionsComeBack() throws IOException {
    for (RouterKind kind : RouterKind.values()) {
      for (HeavyAttention attention : HeavyAttention.values()) {
        CodaOptions options =
            CodaOptions.of(2.5, Precision.SWITCHBACK).withRouter(kind).withAttention(attention);
        assertThat(AdapterFile.read(written(options)).options()).isEqualTo(options);
      }
    }
  }

  @Test
  void anotherBaseIsRefused() throws IOException {
    AdapterFile file = AdapterFile.read(written(OPTIONS));
    PostNormBlock other = base();
    other.parameters().getFirst().value().data()[3] += 1e-6f;
    List<ConditionalAdapter> adapters = adapters(OPTIONS, 6);
    String before = Fingerprint.of(adapters.getFirst().learned());
    assertThatThrownBy(() -> file.load(Fingerprint.of(other.parameters()), adapters, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the adapter was made for the base %s but is given %s (expected the same pretrained"
                + " model)",
            fingerprint(), Fingerprint.of(other.parameters()));
    assertThat(Fingerprint.of(adapters.getFirst().learned())).isEqualTo(before);
  }

  @Test
  void otherOptionsAreRefused() throws IOException {
    AdapterFile file = AdapterFile.read(written(OPTIONS));
    Parameter head = Parameter.vector("head", 0, 0, 0);
    assertThatThrownBy(
            () ->
                file.load(
                    fingerprint(),
                    adapters(OPTIONS.withReduction(5).withRouter(RouterKind.FIRST), 6),
                    List.of(head)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the adapter was trained with other options: reduction is 5.0, in the file 3.0; router"
                + " is FIRST, in the file SOFT_TOP_K (expected the same)");
    assertThatThrownBy(() -> file.load(fingerprint(), adapters(OPTIONS, 6), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no parameter head for 1x3");
    // What means nothing to the parameters may be another.
    file.load(fingerprint(), adapters(OPTIONS.withAdapter(4, 2, true, 0), 6), List.of(head));
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    Path file = folder.resolve("other");
    new SafetensorsWriter().matrix("x", gaussian(2, 2, 1)).write(file);
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("holds no adapter (expected a checksum and switchyard.adapter 1");
    SafetensorsWriter adapter = new SafetensorsWriter().metadata("switchyard.adapter", "1");
    adapter.write(file);
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(file + " does not name its base (expected a fingerprint)");
    adapter.metadata("base", "b").write(file);
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(file + " holds no adapter: no solver (expected all options)");
    adapter.metadata("option.solver", "MAGIC").write(file);
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(
            file + " holds no adapter: solver is MAGIC (expected EXACT or COORDINATE_DESCENT)");
    Path good = written(OPTIONS);
    byte[] bytes = Files.readAllBytes(good);
    bytes[bytes.length - 3] ^= 1;
    Files.write(good, bytes);
    assertThatThrownBy(() -> AdapterFile.read(good)).isInstanceOf(MalformedFileException.class);
  }

  @Test
  void adaptersOfOneFileAreAlike() {
    List<ConditionalAdapter> unlike =
        List.of(adapters(OPTIONS, 1).get(0), adapters(OPTIONS.withReduction(2), 1).get(1));
    assertThatThrownBy(() -> AdapterFile.of("b", unlike, List.of(), 0, Map.of()))
        .hasMessageStartingWith("adapters differ: ");
    assertThatThrownBy(() -> AdapterFile.of("b", List.of(), List.of(), 0, Map.of()))
        .hasMessage("there is no adapter (expected one or more)");
    assertThatThrownBy(() -> AdapterFile.of("b", adapters(OPTIONS, 1), List.of(), -1, Map.of()))
        .hasMessage("step is -1 (expected 0 or more)");
  }

  @Test
  void fingerprintsSeeNamesShapesAndValues() {
    Parameter two = new Parameter("a", FloatMatrix.of(new float[] {1, 2}, 1, 2), true);
    String fingerprint = Fingerprint.of(List.of(two));
    assertThat(
            Fingerprint.of(
                List.of(new Parameter("a", FloatMatrix.of(new float[] {1, 2}, 2, 1), true))))
        .isNotEqualTo(fingerprint);
    assertThat(Fingerprint.of(List.of(Parameter.vector("b", 1, 2)))).isNotEqualTo(fingerprint);
    assertThat(Fingerprint.of(List.of(Parameter.vector("a", 1, 2)))).isEqualTo(fingerprint);
    assertThat(Fingerprint.of(List.of(Parameter.vector("a", 2, 1)))).isNotEqualTo(fingerprint);
    float[] many = new float[40_000];
    many[39_999] = 1;
    assertThat(Fingerprint.of(List.of(Parameter.vector("a", many))))
        .isNotEqualTo(Fingerprint.of(List.of(Parameter.vector("a", new float[40_000]))));
  }
}
