package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.fuzz.Damage;
import dev.switchyard.fuzz.FileFormat;
import dev.switchyard.fuzz.FileFuzz;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.io.FileBytes;
import dev.switchyard.layers.io.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of others are read as they are or refused, see {@link FileFuzz}. */
class DamagedFilesTest {
  private static final BertShape SHAPE = new BertShape(11, 9, 2, 6, 2, 7, 2, 1e-12f);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tokenizerOrRefused(boolean template) throws IOException {
    TokenizerJson json = new TokenizerJson(List.of("a", "##b", "c", "é"));
    if (template) {
      json.put("post_processor", TokenizerFileTest.TEMPLATE.replace('\'', '"'));
    }
    FileFuzz.check(
        FileFormat.of(
            "tokenizer.json",
            json.stream().readAllBytes(),
            file -> {
              WordPieceTokenizer tokenizer = WordPieceTokenizer.read(file);
              assertThat(IntStream.of(tokenizer.encode("ab [SEP] cÉ \ud83d\ude00")))
                  .isNotEmpty()
                  .allMatch(id -> id >= 0 && id < tokenizer.vocabularySize());
            },
            ModelFileException.class),
        folder);
  }

  @Test
  void configurationOrRefused() throws IOException {
    FileFuzz.check(
        FileFormat.of(
            "config.json",
            SafetensorsImportTest.CONFIG.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
            file -> assertThat(BertShape.read(file).eps()).isPositive().isFinite(),
            ModelFileException.class),
        folder);
  }

  @Test
  void safetensorsOrRefused() throws IOException {
    byte[] sample = Files.readAllBytes(new TinyBert(SHAPE).writeSafetensors(folder));
    FileFuzz.check(
        FileFormat.of(
            "bert.safetensors",
            sample,
            random -> FileBytes.damaged(sample, random),
            file -> check(BertEncoder.readSafetensors(file, SHAPE, Precision.FLOAT32)),
            ModelFileException.class,
            MalformedFileException.class),
        folder);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void onnxOrRefused(boolean fused) throws IOException {
    byte[] sample = new TinyOnnx(new TinyBert(SHAPE), "bert.", fused).bytes();
    FileFuzz.check(
        FileFormat.of(
            "bert.onnx",
            sample,
            random -> random.nextBoolean() ? Damage.of(sample, random) : otherGraph(fused, random),
            file -> check(BertEncoder.readOnnx(file, Precision.FLOAT32)),
            ModelFileException.class),
        folder);
  }

  private static void check(BertEncoder encoder) {
    assertThat(encoder.shape().eps()).isPositive().isFinite();
    assertThat(encoder.linears()).hasSize(4 * encoder.shape().depth());
    encoder.parameters().forEach(p -> assertThat(p.value().data()).hasSize(p.rows() * p.cols()));
  }

  /** Well-formed, but some nodes and tensors are missing, twice, at other places, or others. */
  private static byte[] otherGraph(boolean fused, SplittableRandom random) {
    TinyOnnx onnx = new TinyOnnx(new TinyBert(SHAPE), "bert.", fused);
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      if (random.nextBoolean()) {
        change(onnx.nodes, other(onnx, any(onnx.nodes, random), random), random);
      } else {
        change(onnx.tensors, other(any(onnx.tensors, random), random), random);
      }
    }
    return onnx.bytes();
  }

  private static <E> void change(List<E> list, E other, SplittableRandom random) {
    int at = random.nextInt(list.size());
    switch (random.nextInt(4)) {
      case 0 -> list.remove(at);
      case 1 -> list.add(at, other);
      case 2 -> list.set(list.indexOf(any(list, random)), other);
      default -> list.set(at, list.set(random.nextInt(list.size()), list.get(at)));
    }
  }

  private static <E> E any(List<E> list, SplittableRandom random) {
    return list.get(random.nextInt(list.size()));
  }

  private static TinyOnnx.Node other(TinyOnnx onnx, TinyOnnx.Node node, SplittableRandom random) {
    TinyOnnx.Node from = any(onnx.nodes, random);
    return new TinyOnnx.Node(
        random.nextInt(4) == 0 ? from.operator() : node.operator(),
        random.nextInt(2) == 0 ? from.inputs() : node.inputs(),
        random.nextInt(4) == 0 ? from.output() : node.output(),
        random.nextInt(4) == 0 ? from.attributes() : node.attributes());
  }

  private static TinyOnnx.Tensor other(TinyOnnx.Tensor tensor, SplittableRandom random) {
    long[] dims = tensor.dims().clone();
    for (int i = 0; i < dims.length; i++) {
      if (random.nextBoolean()) {
        dims[i] =
            switch (random.nextInt(5)) {
              case 0 -> 0;
              case 1 -> -1;
              case 2 -> 1L << random.nextInt(64);
              case 3 -> dims[i] + (1L << 32);
              default -> dims[random.nextInt(dims.length)];
            };
      }
    }
    return new TinyOnnx.Tensor(
        tensor.name(),
        random.nextInt(4) == 0 ? random.nextInt(-1, 20) : tensor.type(),
        dims,
        random.nextInt(4) == 0 ? Damage.of(tensor.raw(), random) : tensor.raw());
  }
}
