package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights through streams, under other names, and of a part of a model. */
class WeightsTest {
  @TempDir Path folder;

  private final Parameter w =
      new Parameter("w", FloatMatrix.of(new float[] {1, 2, 3, 4}, 2, 2), true);
  private final Parameter b = Parameter.vector("b", 5, 6);

  @Test
  void aStreamHoldsWhatAFileHolds() throws IOException {
    Path file = folder.resolve("weights");
    Weights.write(List.of(w, b), file);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Weights.write(List.of(w, b), out);
    assertThat(out.toByteArray()).isEqualTo(Files.readAllBytes(file));

    Map<String, FloatMatrix> read = Weights.read(new ByteArrayInputStream(out.toByteArray()));
    assertThat(read.get("w").toArray()).containsExactly(1, 2, 3, 4);
    assertThat(read.get("b").toArray()).containsExactly(5, 6);
  }

  @Test
  void aDamagedStreamIsRefusedAndLeavesNoFile() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Weights.write(List.of(w, b), out);
    byte[] bytes = out.toByteArray();
    bytes[bytes.length - 1] ^= 1;
    long before = copies();
    for (byte[] wrong : List.of(bytes, new byte[3], "<html>".getBytes(StandardCharsets.UTF_8))) {
      assertThatThrownBy(() -> Weights.read(new ByteArrayInputStream(wrong)))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageStartingWith("the stream ");
    }
    assertThat(copies()).isEqualTo(before);
  }

  private static long copies() throws IOException {
    String ours = "switchyard-" + ProcessHandle.current().pid() + "-";
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(file -> file.getFileName().toString().startsWith(ours)).count();
    }
  }

  @Test
  void namesOfOthersBecomeOurs() {
    Map<String, FloatMatrix> theirs = new LinkedHashMap<>();
    theirs.put("model.w", w.value());
    theirs.put("model.b", b.value());
    theirs.put("position_ids", FloatMatrix.allocate(1, 3));
    Map<String, FloatMatrix> ours =
        Weights.rename(
            theirs, name -> name.startsWith("model.") ? name.substring("model.".length()) : null);
    assertThat(ours).containsExactly(Map.entry("w", w.value()), Map.entry("b", b.value()));
    assertThatThrownBy(() -> Weights.rename(theirs, name -> "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two weights are named x, the second was model.b");
  }

  @Test
  void whatIsPresentIsLoadedAndTheRestNamed() {
    Parameter head = Parameter.vector("head", 9);
    Map<String, FloatMatrix> weights =
        Map.of(
            "w", FloatMatrix.of(new float[] {5, 6, 7, 8}, 2, 2), "old", FloatMatrix.allocate(1, 1));

    Weights.Left left = Weights.loadPresent(weights, List.of(w, head, b));

    assertThat(left.missing()).containsExactly("head", "b");
    assertThat(left.unexpected()).containsExactly("old");
    assertThat(w.value().toArray()).containsExactly(5, 6, 7, 8);
    assertThat(head.version()).isZero();
    assertThat(b.version()).isZero();
  }

  @Test
  void anotherShapeIsRefusedEvenThen() {
    Map<String, FloatMatrix> weights =
        Map.of("w", FloatMatrix.allocate(2, 3), "b", FloatMatrix.allocate(1, 2));
    assertThatThrownBy(() -> Weights.loadPresent(weights, List.of(b, w)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the weights do not fit the parameters: 2x3 for w 2x2");
    assertThat(b.version()).isZero();
  }
}
