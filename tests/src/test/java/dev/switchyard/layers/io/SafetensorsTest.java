package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("x.safetensors");
  }

  @Test
  void readsAFileMadeByHand() throws IOException {
    try (InputStream in = SafetensorsTest.class.getResourceAsStream("tiny.safetensors")) {
      Files.copy(in, file);
    }
    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.tensors())
          .containsExactly(
              new TensorInfo("n", Dtype.F32, List.of(2L), 0, 8),
              new TensorInfo("a", Dtype.F16, List.of(1L, 2L), 8, 12),
              new TensorInfo("b\u00e9", Dtype.I8, List.of(3L), 12, 15));
      assertThat(in.metadata()).containsExactly(Map.entry("made", "by hand"));
      assertThat(in.hasChecksum()).isFalse();
      assertThat(in.floats("n")).containsExactly(1, -2.5f);
      assertThat(in.floats("a")).containsExactly(1, 0x1p-24f);
      assertThat(in.bytes("b\u00e9")).containsExactly(-1, 0, 127);
    }
  }

  @Test
  void writesTheBytesOfTheFormat() throws IOException {
    new SafetensorsWriter()
        .bytes("b", new byte[] {7}, 1)
        .floats("\"f\n", new float[] {1, -2.5f}, 2)
        .metadata("k", "v")
        .write(file);

    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) bytes.getLong()];
    bytes.get(header);
    assertThat(header.length % 8).isZero();
    assertThat(new String(header, StandardCharsets.UTF_8).replaceAll("[0-9a-f]{64}", "SUM").strip())
        .isEqualTo(
            "{\"__metadata__\":{\"k\":\"v\",\"switchyard.sha256\":\"SUM\"},"
                + "\"\\\"f\\u000a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[8,9]}}");
    assertThat(bytes.getFloat()).isEqualTo(1);
    assertThat(bytes.getFloat()).isEqualTo(-2.5f);
    assertThat(bytes.get()).isEqualTo((byte) 7);
    assertThat(bytes.hasRemaining()).isFalse();
  }

  @Test
  void everyTypeComesBackAsItWas() throws IOException {
    Files.write(file, FileBytes.sample(folder));

    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.hasChecksum()).isTrue();
      assertThat(in.tensors()).hasSize(6);
      assertThat(in.metadata()).containsEntry("key", "value").hasSize(2);
      assertThat(in.floats("a \"quoted\"\\ \n name")).containsExactly(1, -0f, Float.MIN_VALUE);
      float[] bf16 = in.floats("\u00e9 \ud83d\ude00");
      assertThat(bf16[0]).isEqualTo(1);
      assertThat(bf16[1]).isNaN();
      assertThat(in.doubles("d")).containsExactly(Math.PI);
      assertThat(in.longs("l")).containsExactly(Long.MIN_VALUE, 1, 2, 3);
      assertThat(in.ints("i")).isEmpty();
      assertThat(in.bytes("b")).containsExactly(1, 2, 3, 4, 5);
    }
  }

  /** Among them shapes whose rows straddle the chunks in which files are read and written. */
  @Test
  void matricesOfOddShapesComeBackBitForBit() throws IOException {
    int[][] shapes = {{1, 1}, {0, 5}, {5, 0}, {3, 7}, {127, 129}, {1, 16385}, {3, 16383}};
    for (int[] shape : shapes) {
      FloatMatrix whole = FloatMatrix.allocate(shape[0] + 2, shape[1] + 3);
      for (int i = 0; i < whole.data().length; i++) { // any bits: NaN with their payloads too
        whole.data()[i] = Float.intBitsToFloat(CounterRandom.bits(shape[1], i));
      }
      FloatMatrix view = whole.rowRange(1, shape[0] + 1).columnRange(2, shape[1] + 2);
      new SafetensorsWriter().matrix("m", view).write(file);

      try (Safetensors in = Safetensors.open(file)) {
        FloatMatrix back = in.matrix("m");
        assertThat(back.shape()).isEqualTo(view.shape());
        for (int i = 0; i < view.rows(); i++) {
          for (int j = 0; j < view.cols(); j++) {
            assertThat(Float.floatToRawIntBits(back.get(i, j)))
                .isEqualTo(Float.floatToRawIntBits(view.get(i, j)));
          }
        }
      }
    }
  }

  @Test
  void noTensorsAtAll() throws IOException {
    new SafetensorsWriter().write(file);
    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.tensors()).isEmpty();
    }
    Files.write(file, FileBytes.of("{}", 0));
    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.tensors()).isEmpty();
    }
  }

  @Test
  void readsBeyondTwoGigabytes() throws IOException {
    long large = 3L << 30;
    byte[] start =
        FileBytes.of(
            "{\"large\":{\"dtype\":\"U8\",\"shape\":[3,1073741824],\"data_offsets\":[0,3221225472]},"
                + "\"last\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[3221225472,3221225476]}}",
            0);
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.SPARSE,
            StandardOpenOption.WRITE)) {
      out.write(ByteBuffer.wrap(start));
      out.write(ByteBuffer.wrap(new byte[] {1, 2, 0, 0}), start.length + large);
    }
    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.ints("last")).containsExactly(0x201);
    }
    Files.delete(file);
  }

  @Test
  void aFlippedBitIsRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    sample[sample.length - 1] ^= 1;
    Files.write(file, sample);

    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageMatching(
            file
                + " is damaged: its content has the SHA-256 checksum .{64} \\(expected .{64}, as it"
                + " says\\)");
  }

  @Test
  void theWrongTensorIsRefused() throws IOException {
    Files.write(file, FileBytes.sample(folder));
    try (Safetensors in = Safetensors.open(file)) {
      assertThatThrownBy(() -> in.floats("none"))
          .isInstanceOf(MalformedFileException.class)
          .hasMessage(file + " has no tensor none (expected one of [F32, F16, BF16])");
      assertThatThrownBy(() -> in.matrix("l"))
          .hasMessage(file + " has tensor l of I64[2x2] (expected one of [F32, F16, BF16])");
    }
  }

  /** Tensors of any type and shape lie beside one that is wanted. */
  @ParameterizedTest
  @EnumSource(Dtype.class)
  void tensorsThatAreNotReadAreInNobodysWay(Dtype dtype) throws IOException {
    long bytes = 24L * dtype.bits() / 8;
    Files.write(
        file,
        FileBytes.of(
            String.format(
                Locale.ROOT,
                "{\"__metadata__\":null,\"w\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[%1$d,%2$d],"
                    + "\"note\":{\"a\":[1,-2.5e3,true,null,\"}\"],\"b\":{}}},"
                    + "\"x\":{\"dtype\":\"%3$s\",\"shape\":[2,3,1,4],\"data_offsets\":[0,%1$d]},"
                    + "\"none\":{\"dtype\":\"%3$s\",\"shape\":[0,7],\"data_offsets\":[%2$d,%2$d]}}",
                bytes,
                bytes + 4,
                dtype),
            (int) bytes + 4));
    try (Safetensors in = Safetensors.open(file)) {
      assertThat(in.tensors()).extracting(TensorInfo::name).containsExactly("x", "w", "none");
      assertThat(in.tensors()).extracting(TensorInfo::elements).containsExactly(24L, 2L, 0L);
      assertThat(in.metadata()).isEmpty();
      assertThat(in.floats("w")).hasSize(2);
      assertThatThrownBy(() -> in.matrix("x"))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageContaining("has tensor x of " + dtype + "[2x3x1x4] (expected ");
    }
    assertThat(Weights.read(file)).containsKey("w").doesNotContainKey("x");
  }

  @Test
  void shapesThatAreNoMatrixAreRefused() throws IOException {
    new SafetensorsWriter()
        .floats("deep", new float[6], 1, 2, 3)
        .floats("wide", new float[0], 0, 1L << 31)
        .write(file);
    try (Safetensors in = Safetensors.open(file)) {
      for (String tensor : List.of("deep of F32[1x2x3]", "wide of F32[0x2147483648]")) {
        assertThatThrownBy(() -> in.matrix(tensor.substring(0, 4)))
            .isInstanceOf(MalformedFileException.class)
            .hasMessage(
                "%s has tensor %s (expected at most two dimensions of up to 2^31 - 1)",
                file, tensor);
      }
    }
  }

  @Test
  void moreThanAnArrayHoldsIsRefused() throws IOException {
    byte[] start =
        FileBytes.of(
            "{\"a\":{\"dtype\":\"I8\",\"shape\":[2147483584],\"data_offsets\":[0,2147483584]}}", 0);
    FileBytes.writeSparse(file, start, start.length + 2147483584L);
    try (Safetensors in = Safetensors.open(file)) {
      assertThatThrownBy(() -> in.bytes("a"))
          .isInstanceOf(MalformedFileException.class)
          .hasMessage(
              file
                  + " has tensor a of I8[2147483584], more elements than a Java array can hold"
                  + " (2^31 - 65)");
    }
    Files.delete(file);
  }

  @Tag("full")
  @Test
  void headersBeyondTheLimitAreNotWritten() {
    SafetensorsWriter out = new SafetensorsWriter();
    String large = "x".repeat(10_000_000);
    for (int i = 0; i < 10; i++) {
      out.metadata("k" + i, large);
    }
    assertThatThrownBy(() -> out.write(file))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageMatching("the header has 10\\d{7} bytes \\(expected up to 100000000\\)");
    assertThat(file).doesNotExist();
  }

  @Test
  void aFileCutWhileItIsOpenIsRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    Files.write(file, sample);
    try (Safetensors in = Safetensors.open(file)) {
      Files.write(file, Arrays.copyOf(sample, sample.length - 2));

      assertThatThrownBy(() -> in.bytes("b"))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageMatching(
              file + " was cut while it was read: it ends at byte \\d+ \\(expected 2 more\\)");
    }
  }

  @Test
  void whatCannotBeWrittenIsRefused() {
    SafetensorsWriter out = new SafetensorsWriter().floats("a", new float[1], 1).metadata("k", "");

    assertThatThrownBy(() -> out.floats("a", new float[1], 1))
        .hasMessage("tensor name a is taken (expected a new one)");
    assertThatThrownBy(() -> out.floats("__metadata__", new float[0], 0))
        .hasMessageContaining("is taken");
    assertThatThrownBy(() -> out.floats("\ud83d", new float[0], 0))
        .hasMessage("tensor name \ud83d has half a surrogate pair (expected both halves or none)");
    assertThatThrownBy(() -> out.floats("c", new float[6], 2, 4))
        .hasMessage("tensor c has 6 elements, which are not a shape [2, 4]");
    assertThatThrownBy(() -> out.floats("c", new float[6], -2, -3))
        .hasMessageContaining("not a shape");
    assertThatThrownBy(() -> out.floats("c", new float[0], 1L << 32, 1L << 32))
        .hasMessageContaining("not a shape");
    assertThatThrownBy(() -> out.metadata("k", ""))
        .hasMessage("metadata key k is taken (expected a new one)");
    assertThatThrownBy(() -> out.metadata(Header.CHECKSUM, "")).hasMessageContaining("is taken");
  }
}
