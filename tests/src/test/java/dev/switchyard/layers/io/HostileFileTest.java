package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.switchyard.fuzz.FileFuzz;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':01}} | has '0' at byte",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':nil}} | has 'n' at byte",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':}} | (expected a value)",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':[1,}} | (expected a value)",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'x':{'y'}}} | (expected a colon)",
        "{'a':{'dtype':'F4','shape':[15],'data_offsets':[0,8]}} | a is F4[15] in 8 bytes (expected"
            + " the product of the shape times 4 bits)",
        "{'a':{'dtype':'F6_E2M3','shape':[11],'data_offsets':[0,8]}} | F6_E2M3[11] in 8 bytes",
        "{'a':{'dtype':'C64','shape':[2],'data_offsets':[0,8]}} | C64[2] in 8 bytes",
        "{'__metadata__':nul} | (expected a value)",
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
  void headerLengthsBeyondTheFileTakeNoMemory(long length) throws IOException {
    byte[] bytes = FileBytes.of("{}              ", 0);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    Files.write(file, bytes);
    assertTakesNoMemory("says that its header has " + Long.toUnsignedString(length));
  }

  @Test
  void headersBeyondTheLimitOfTheFormatTakeNoMemory() throws IOException {
    byte[] start = FileBytes.of("{}", 0);
    ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_001);
    FileBytes.writeSparse(file, start, 200_000_001);
    assertTakesNoMemory("has 100000001 bytes (expected up to 100000000 in a file of");
  }

  private void assertTakesNoMemory(String message) {
    var _ = catchThrowable(() -> Safetensors.open(file)); // loads classes
    long before = FileFuzz.allocatedBytes();
    Throwable thrown = catchThrowable(() -> Safetensors.open(file));
    assertThat(FileFuzz.allocatedBytes() - before).isLessThan(1_000_000);
    assertThat(thrown).isInstanceOf(MalformedFileException.class).hasMessageContaining(message);
  }

  @Test
  void deepNestingAndLongListsAreRefusedAtOnce() {
    assertRefused(FileBytes.of("[".repeat(1_000_000), 0), "(expected an object)");
    assertRefused(FileBytes.of("{\"a\":".repeat(100_000), 0), "has values in values");
    assertRefused(FileBytes.of("{\"a\":{\"x\":" + "[".repeat(100_000), 0), "has values in values");
    assertRefused(
        FileBytes.of("{\"a\":{\"shape\":[" + "0,".repeat(100_000) + "0]}}", 0), "a longer array");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] sample = FileBytes.sample(folder);
    assertRefused(
        new byte[7], " is truncated: it holds 7 bytes (expected 8 for the header length)");
    for (int length = 0; length < sample.length; length++) {
      assertRefused(Arrays.copyOf(sample, length), "x");
    }
    assertRefused(Arrays.copyOf(sample, sample.length + 1), "bytes of data");
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
