package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.CounterRandom;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a file holds, it gives its exact content or a {@link MalformedFileException}. */
class HostileFileTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("x");
  }

  /** Single quotes stand for double ones; 8 bytes of data. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,8]}} | a is F32[1] in 8 bytes",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]} | has its end at byte",
        "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | has '-' at byte",
        "{'a':{'dtype':'F32','shape':[02],'data_offsets':[0,8]}} | a number that starts with 0",
        "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | has '.' at byte",
        "{'a':{'dtype':'F32','shape':[2e0],'data_offsets':[0,8]}} | has 'e' at byte",
        "{'a':{'dtype':'F32','shape':[2,],'data_offsets':[0,8]}} | has ']' at byte",
        "{'a':{'dtype':'F32','shape':[4294967296,4294967296,2],'data_offsets':[0,8]}} | in 8 bytes",
        "{'a':{'dtype':'F32','shape':[2305843009213693952,2],'data_offsets':[0,8]}} | in 8 bytes",
        "{'a':{'dtype':'F32','shape':[4611686018427387906],'data_offsets':[0,8]}} | in 8 bytes",
        "{'a':{'dtype':'F32','shape':[9223372036854775808],'data_offsets':[0,8]}} | a larger"
            + " number",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | has data_offsets [8, 0]",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}} | has data_offsets [0]",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}} | a longer array",
        "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}} | its tensors end at 12",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | its tensors end at 4",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | a gap nor an overlap",
        "{'a':{'dtype':'I8','shape':[5],'data_offsets':[0,5]},'b':{'dtype':'I8','shape':[4],'data_offsets':[4,8]}}"
            + " | overlap",
        "{'a':{'dtype':'I8','shape':[3],'data_offsets':[0,3]},'b':{'dtype':'I8','shape':[4],'data_offsets':[4,8]}}"
            + " | a gap",
        "{'a':{'dtype':'I8','shape':[8],'data_offsets':[0,8]},'b':{'dtype':'I8','shape':[0],'data_offsets':[5,5]}}"
            + " | overlap",
        "{'a':{'dtype':'Q4','shape':[2],'data_offsets':[0,8]}} | has dtype Q4",
        "{'a':{'dtype':'F32','shape':[2]}} | lacks data_offsets",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':1}} | has \"x\" (expected dtype",
        "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | the name \"dtype\""
            + " twice",
        "{'a':{'dtype':'I8','shape':[8],'data_offsets':[0,8]},'\\u0061':{'dtype':'I8','shape':[0],'data_offsets':[8,8]}}"
            + " | the name \"a\" twice",
        "{'__metadata__':{'k':'1','k':'2'}} | the name \"k\" twice",
        "{'__metadata__':{'k':1}} | (expected a string)",
        "{'__metadata__':{'k':{'k':{}}}} | (expected a string)",
        "{'__metadata__':{'k':'\\ud83d'}} | half a surrogate pair",
        "{'__metadata__':{'k':'\\ude00\\ud83d'}} | half a surrogate pair",
        "{'__metadata__':{'k':'\\u12g4'}} | four hexadecimal digits",
        "{'__metadata__':{'k':'\\x'}} | after the backslash",
        "{'__metadata__':{'k':'\t'}} | has byte 9 at byte",
        "{'__metadata__':{'k':'v'}} x | has 'x' at byte",
        "{'__metadata__':{},} | (expected a string)",
        "[] | (expected an object)",
        "`` | (expected an object)"
      })
  void headersThatAreRefused(String header, String message) {
    assertRefused(FileBytes.of(header == null ? "" : header.replace('\'', '"'), 8), message);
  }

  @Test
  void bytesThatAreNotUtf8() {
    for (int bad : new int[] {0xff, 0x80, 0xc0, 0xed}) {
      byte[] header = "{\"__metadata__\":{\"k\":\"?\"}}".getBytes(StandardCharsets.UTF_8);
      header[22] = (byte) bad;
      assertRefused(FileBytes.of(header, 0), "not UTF-8");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_001, 99_999_999, 17})
  void headerLengthsBeyondTheFileTakeNoMemory(long length) {
    byte[] bytes = FileBytes.of("{}              ", 0);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);

    long before = allocated();
    assertRefused(bytes, "says that its header has " + Long.toUnsignedString(length));
    assertThat(allocated() - before).isLessThan(2_000_000);
  }

  @Test
  void headersBeyondTheLimitOfTheFormatTakeNoMemory() throws IOException {
    byte[] start = FileBytes.of("{}", 0);
    ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_001);
    Files.write(file, start);
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      out.write(ByteBuffer.allocate(1), 200_000_000); // sparse
    }

    long before = allocated();
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("has 100000001 bytes (expected up to 100000000 in a file of");
    assertThat(allocated() - before).isLessThan(2_000_000);
  }

  @Test
  void deepNestingAndLongListsAreRefusedAtOnce() {
    assertRefused(FileBytes.of("[".repeat(1_000_000), 0), "(expected an object)");
    assertRefused(FileBytes.of("{\"a\":".repeat(100_000), 0), "has \"a\" (expected dtype");
    assertRefused(
        FileBytes.of("{\"a\":{\"shape\":[" + "0,".repeat(100_000) + "0]}}", 0), "a longer array");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    for (int length = 0; length < sample.length; length++) {
      assertRefused(Arrays.copyOf(sample, length), "x");
    }
    assertRefused(Arrays.copyOf(sample, sample.length + 1), "bytes of data");
  }

  /** One to three changed, dropped, doubled or swapped bytes; half of them in the header. */
  @Test
  void mutationsGiveTheExactContentOrAreRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    Files.write(file, sample);
    Map<String, Object> exact = content();
    int intact = 0;
    int refused = 0;
    int unchecked = 0;
    for (int round = 0; round < 6000; round++) {
      Files.write(file, mutated(sample, CounterRandom.bits(1, round)));
      long before = allocated();
      try {
        Map<String, Object> content = content();
        if (content == null) {
          unchecked++; // the checksum's own key was hit: a file as others write them
        } else {
          assertThat(content).as("round %d", round).isEqualTo(exact);
          intact++;
        }
      } catch (MalformedFileException e) {
        assertThat(e).hasMessageStartingWith(file.toString());
        refused++;
      }
      assertThat(allocated() - before).isLessThan(2_000_000);
    }
    // Most mutations matter; those of white space and of equal bytes do not.
    assertThat(refused).isGreaterThan(5000);
    assertThat(intact).isPositive();
    assertThat(unchecked).isLessThan(200);
  }

  private static byte[] mutated(byte[] sample, int seed) {
    byte[] bytes = sample.clone();
    int count = 1 + Integer.remainderUnsigned(seed, 3);
    for (int i = 0; i < count; i++) {
      int bits = CounterRandom.bits(seed, 2 * i);
      int at = Integer.remainderUnsigned(CounterRandom.bits(seed, 2 * i + 1), bytes.length);
      switch (bits >>> 30) {
        case 0 -> bytes[at] ^= (byte) (1 << (bits & 7));
        case 1 -> bytes[at] = (byte) "0123456789,:[]{}\"\\ue- \0".charAt((bits & 0xffff) % 23);
        case 2 -> { // dropped, and the length made to fit every other time
          System.arraycopy(bytes, at + 1, bytes, at, bytes.length - at - 1);
          bytes = Arrays.copyOf(bytes, bytes.length - 1);
          bytes[0] -= (byte) (bits & 1);
        }
        default -> { // doubled
          byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
          System.arraycopy(bytes, at, longer, at + 1, bytes.length - at);
          bytes = longer;
          bytes[0] += (byte) (bits & 1);
        }
      }
    }
    return bytes;
  }

  /** All that a file holds, in values that compare; null if it has no checksum. */
  private Map<String, Object> content() throws IOException {
    Map<String, Object> content = new LinkedHashMap<>();
    try (Safetensors in = Safetensors.open(file)) {
      for (TensorInfo tensor : in.tensors()) {
        String name = tensor.name();
        content.put(
            tensor.toString(),
            switch (tensor.dtype()) {
              case F32, F16, BF16 -> Arrays.toString(in.floats(name));
              case F64 -> Arrays.toString(in.doubles(name));
              case I64 -> Arrays.toString(in.longs(name));
              case I32 -> Arrays.toString(in.ints(name));
              case I8 -> Arrays.toString(in.bytes(name));
              default -> "";
            });
      }
      content.put("metadata", in.metadata());
      return in.hasChecksum() ? content : null;
    }
  }

  private static long allocated() {
    try {
      return (long)
          ManagementFactory.getPlatformMBeanServer()
              .getAttribute(
                  new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME),
                  "CurrentThreadAllocatedBytes");
    } catch (JMException e) {
      throw new AssertionError(e);
    }
  }

  private void assertRefused(byte[] bytes, String message) {
    assertThatThrownBy(
            () -> {
              Files.write(file, bytes);
              Safetensors.open(file).close();
            })
        .isInstanceOf(MalformedFileException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }
}
