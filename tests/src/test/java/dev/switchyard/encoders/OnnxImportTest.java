package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ONNX models of any shape, and the words with which damaged and other ones are refused. */
class OnnxImportTest {
  private static final BertShape SHAPE = new BertShape(11, 9, 2, 6, 2, 7, 2, 1e-12f);

  @TempDir Path folder;

  private BertEncoder read(byte[] bytes) throws IOException {
    Path file = folder.resolve("model.onnx");
    Files.write(file, bytes);
    return BertEncoder.readOnnx(file, Precision.FLOAT32);
  }

  private static TinyOnnx sample() {
    return new TinyOnnx(new TinyBert(SHAPE), "", false);
  }

  /** The file is what the ONNX Runtime takes it for, and we read what is in it. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 8, 16, 1e-12, false",
    "2, 2, 8, 5, 1e-5, true",
    "3, 4, 20, 33, 0.1, false",
    "1, 3, 9, 9, 1, true"
  })
  void computesWhatOnnxRuntimeDoes(
      int depth, int heads, int features, int hidden, float eps, boolean fused)
      throws IOException, OrtException {
    BertShape shape = new BertShape(23, 40, 2, features, heads, hidden, depth, eps);
    TinyBert bert = new TinyBert(shape);
    byte[] bytes = new TinyOnnx(bert, fused ? "bert." : "", fused).bytes();
    BertEncoder encoder = read(bytes);
    assertThat(encoder.shape()).isEqualTo(shape);
    int[] ids = IntStream.range(0, 17).map(i -> i * i % 23).toArray();
    Sequences one = Sequences.ofLengths(17);
    Kernels kernels = Kernels.create(BackendChoice.named("vector"), Parallel.serial());
    FloatMatrix y = encoder.forward(Tape.none(kernels), ids, one).value();
    try (OnnxRuntime runtime = new OnnxRuntime(folder.resolve("model.onnx"), false)) {
      float[][] expected = runtime.run(ids);
      for (int i = 0; i < 17; i++) {
        for (int j = 0; j < features; j++) {
          assertThat(y.get(i, j)).isCloseTo(expected[i][j], within(2e-4f));
        }
      }
    }
  }

  @Test
  void givesTheParametersOfTheSafetensorsFile() throws IOException {
    TinyBert bert = new TinyBert(SHAPE);
    BertEncoder expected =
        BertEncoder.readSafetensors(bert.writeSafetensors(folder), SHAPE, Precision.FLOAT32);
    for (String prefix : List.of("", "bert.", "0.auto_model.")) {
      List<Parameter> parameters = read(new TinyOnnx(bert, prefix, false).bytes()).parameters();
      for (int i = 0; i < parameters.size(); i++) {
        Parameter other = expected.parameters().get(i);
        assertThat(parameters.get(i).name()).isEqualTo(other.name());
        assertThat(parameters.get(i).value().data()).isEqualTo(other.value().data());
      }
    }
  }

  /** What the hidden states do not depend on is not looked at. */
  @Test
  void poolersAreLeftOut() throws IOException {
    TinyOnnx onnx = sample();
    onnx.tensors.add(TinyOnnx.floats("pooler.weight", FloatMatrix.allocate(6, 6), 6, 6));
    onnx.node("Gemm", "pooled", List.of(onnx.output, "pooler.weight"));
    onnx.node("Tanh", "pooler_output", List.of("pooled"));
    assertThat(read(onnx.bytes()).shape()).isEqualTo(SHAPE);
  }

  private void assertRefused(Consumer<TinyOnnx> change, String message) {
    TinyOnnx onnx = sample();
    change.accept(onnx);
    assertThatThrownBy(() -> read(onnx.bytes()))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(folder.resolve("model.onnx") + " ")
        .hasMessageContaining(message);
  }

  private static Consumer<TinyOnnx> operator(String of, String by) {
    return onnx -> onnx.nodes.replaceAll(n -> n.output().equals(of) ? n.withOperator(by) : n);
  }

  private static Consumer<TinyOnnx> tensor(String name, UnaryOperator<TinyOnnx.Tensor> change) {
    return onnx -> onnx.tensors.replaceAll(t -> t.name().equals(name) ? change.apply(t) : t);
  }

  @Test
  void operatorsOfOthers() {
    assertRefused(
        operator("encoder.layer.1.erf", "Tanh"),
        "has node /encoder.layer.1.erf of operator Tanh (expected those of a BERT encoder with the"
            + " exact GELU alone: [Add, Cast,");
    assertRefused(
        operator("encoder.layer.1.erf", "Identity"),
        "has 1 nodes of operator Erf (expected 2 as the biases of queries tell)");
    assertRefused(
        operator("encoder.layer.0.p", "Identity"), "has 1 nodes of operator Softmax (expected 2");
    assertRefused(
        onnx -> onnx.output = "sentence_embedding",
        "has the outputs [sentence_embedding] (expected last_hidden_state among them)");
    assertRefused(
        onnx -> onnx.nodes.removeLast(), "has no tensor embeddings.word_embeddings.weight");
  }

  @Test
  void tensorsThatAreMissingWrongOrToo() {
    String words = "embeddings.word_embeddings.weight";
    assertRefused(
        onnx -> onnx.tensors.removeIf(t -> t.name().equals("encoder.layer.1.output.dense.bias")),
        "has no tensor encoder.layer.1.output.dense.bias (expected one of 6 floats)");
    assertRefused(
        tensor("embeddings.LayerNorm.bias", t -> t.withDims(2, 3)),
        "has tensor embeddings.LayerNorm.bias of 2x3 (expected 6)");
    assertRefused(
        tensor("embeddings.position_embeddings.weight", t -> t.withDims(54)),
        "has tensor embeddings.position_embeddings.weight of 54 (expected one of 2 dimensions)");
    assertRefused(
        tensor(words, t -> t.withDims(11, 7)),
        "has tensor embeddings.word_embeddings.weight of 11x7 in 264 bytes (expected 4 for each"
            + " element)");
    assertRefused(
        tensor(words, t -> t.withDims(1L << 40, 1L << 40)), "in 264 bytes (expected 4 for each");
    assertRefused(tensor(words, t -> t.withDims(-11, -6)), "of -11x-6 in 264 bytes");
    assertRefused(
        tensor(words, t -> new TinyOnnx.Tensor(t.name(), 1, t.dims(), null)),
        "has tensor embeddings.word_embeddings.weight of 11x6 without raw data (expected its"
            + " elements in the file, as raw data)");
    assertRefused(
        tensor(words, t -> new TinyOnnx.Tensor(t.name(), 10, t.dims(), t.raw())),
        "has tensor embeddings.word_embeddings.weight of 11x6 and type 10 (expected type 1)");
    assertRefused(
        tensor(words, t -> t.withDims(1, 1, 1, 1, 1, 1, 1, 11, 6)),
        "has more than 8 numbers in field 1 at byte");
    assertRefused(
        onnx -> {
          onnx.tensors.add(TinyOnnx.floats("distances", FloatMatrix.allocate(2, 3), 2, 3));
          onnx.nodes.removeLast();
          onnx.node("Add", "more", List.of("encoder.layer.1.output.LayerNorm", "distances"));
          onnx.node("Identity", onnx.output, List.of("more"));
        },
        "has tensor distances (expected those of a BERT encoder with 2 blocks of 6 features"
            + " alone)");
    assertRefused(
        onnx -> onnx.tensors.add(onnx.tensors.getFirst()),
        "has the name \"embeddings.word_embeddings.weight\" twice (expected each once)");
  }

  private static Consumer<TinyOnnx> constant(String name, Consumer<TinyOnnx> again) {
    return onnx -> {
      onnx.nodes.removeIf(n -> n.output().equals(name));
      again.accept(onnx);
    };
  }

  @Test
  void shapesThatCannotBeTold() {
    String lengths = "encoder.layer.1.attention.self.query/Add/lengths";
    assertRefused(
        constant(lengths, onnx -> onnx.constant(lengths, new long[] {0, 0, 3, 2})),
        "has 3 heads in block 1 (expected 2 as in the others)");
    assertRefused(
        constant(lengths, onnx -> onnx.node("Shape", lengths, List.of("sum"))),
        "has no constant number of heads in /encoder.layer.1.attention.self.query/Add/heads"
            + " (expected the third of four lengths to be one)");
    assertRefused(
        constant(lengths, onnx -> onnx.constant(lengths, new long[] {0, 0, -1, 2})),
        "has no constant number of heads");
    assertRefused(
        onnx ->
            List.of("0", "1")
                .forEach(
                    i -> {
                      String both = "encoder.layer." + i + ".attention.self.query/Add/lengths";
                      onnx.nodes.removeIf(n -> n.output().equals(both));
                      onnx.constant(both, new long[] {0, 0, 4, 2});
                    }),
        "is of no possible shape: 6 features have 4 heads");
    assertRefused(
        operator("encoder.layer.0.attention.self.query/Add/heads", "Identity"),
        "has no Reshape of what encoder.layer.0.attention.self.query.bias is added to");
    String eps = "encoder.layer.1.output.LayerNorm/eps";
    assertRefused(
        constant(eps, onnx -> onnx.scalar(eps, 0.25f)),
        "has the epsilons 0.25 and 1.0E-12 (expected a single one)");
    assertRefused(
        constant(
            eps,
            onnx -> {
              FloatMatrix two = FloatMatrix.of(new float[] {1, 2}, 1, 2);
              onnx.tensors.add(TinyOnnx.floats(eps, two, 2));
            }),
        "has tensor " + eps + " of 2 (expected a single number)");
    assertRefused(
        onnx ->
            onnx.nodes.replaceAll(n -> n.operator().equals("Sqrt") ? n.withOperator("Cast") : n),
        "is of no possible shape: eps is NaN (expected a finite number above 0)");
  }

  @Test
  void whatIsNotOnnx() {
    assertRefused(new byte[0], "has no graph (expected an ONNX model)");
    assertThatThrownBy(() -> read("{\"model\": 1}".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(ModelFileException.class);
    assertRefused(
        new byte[] {0x3a, (byte) 0x80, (byte) 0x80, 4, 1},
        "has field 7 of 65536 bytes where 1 are left at byte 4 (expected a field within its"
            + " message)");
    byte[] endless = new byte[20];
    Arrays.fill(endless, (byte) -1);
    assertRefused(
        endless, "has a number of more than 10 bytes at byte 10 (expected at most so many)");
    assertRefused(
        new byte[] {-1},
        "has a number that does not end at byte 1 (expected one within its message)");
    assertRefused(new byte[] {0}, "has field 0 at byte 1 (expected a number from 1 to 2^29)");
    assertRefused(
        new byte[] {(7 << 3) + 3}, "has field 7 of wire type 3 at byte 1 (expected 0, 1, 2 or 5)");
    assertRefused(
        new byte[] {7 << 3, 1}, "has field 7 of wire type 0 at byte 2 (expected 2)"); // the graph
    assertThatThrownBy(() -> BertEncoder.readOnnx(folder.resolve("none"), Precision.FLOAT32))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(ModelFileException.class);
  }

  private void assertRefused(byte[] bytes, String ending) {
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(ModelFileException.class)
        .hasMessageEndingWith(ending);
  }

  @Test
  void namesThatAreNoNames() {
    assertRefused(
        operator("encoder.layer.1.erf", "E".repeat(10_000)), "has a name of 10000 bytes at byte ");
  }

  /** A megabyte of empty names would become a hundred of objects. */
  @Test
  void manyTinyPartsAreRefused() {
    TinyOnnx onnx = sample();
    String[] none = new String[200_000];
    Arrays.fill(none, "");
    onnx.node("Concat", "x", List.of(none));
    byte[] bytes = onnx.bytes();
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(ModelFileException.class)
        .hasMessageEndingWith("has more than 100000 names (expected at most so many)");
  }

  /** Another process cuts the file after its size was asked for. */
  @Test
  void aFileCutWhileItIsReadIsRefused() {
    byte[] sample = sample().bytes();
    for (int left : new int[] {0, 1, sample.length / 2, sample.length - 1}) {
      try (Arena arena = Arena.ofConfined()) {
        assertThatThrownBy(() -> OnnxFile.load("x.onnx", new CutChannel(sample, left), arena))
            .isInstanceOf(ModelFileException.class)
            .hasMessage(
                "x.onnx was cut while it was read: it ends at byte %d (expected %d more)",
                left, sample.length - left);
      }
    }
  }

  /** A file that is shorter than it says. */
  private record CutChannel(ReadableByteChannel in, long size) implements SeekableByteChannel {
    CutChannel(byte[] bytes, int left) {
      this(Channels.newChannel(new ByteArrayInputStream(bytes, 0, left)), bytes.length);
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
      return in.read(to);
    }

    @Override
    public int write(ByteBuffer from) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public SeekableByteChannel position(long newPosition) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SeekableByteChannel truncate(long newSize) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] sample = sample().bytes();
    for (int length = 0; length < sample.length; length += length < 200 ? 1 : 101) {
      byte[] cut = Arrays.copyOf(sample, length);
      assertThatThrownBy(() -> read(cut)).isInstanceOf(ModelFileException.class);
    }
  }
}
