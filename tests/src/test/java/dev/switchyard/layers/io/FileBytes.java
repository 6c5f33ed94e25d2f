package dev.switchyard.layers.io;

import dev.switchyard.fuzz.Damage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;

/** Files made by hand, damaged ones, and one of each kind of content. */
public final class FileBytes {
  private static final String CHECKSUM = "\"" + Header.CHECKSUM + "\":\"";

  private FileBytes() {}

  /** A file of a header and so many zero bytes. */
  static byte[] of(String header, int dataBytes) {
    return of(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  static byte[] of(byte[] header, int dataBytes) {
    return ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  /** A sparse file of so many bytes, zeros after its start. */
  static void writeSparse(Path file, byte[] start, long size) throws IOException {
    Files.write(file, start);
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      out.write(ByteBuffer.allocate(1), size - 1);
    }
  }

  /** A file with a tensor of each type that can be written, checksummed. */
  static byte[] sample(Path folder) throws IOException {
    Path file = folder.resolve("sample");
    new SafetensorsWriter()
        .floats("a \"quoted\"\\ \n name", new float[] {1, -0f, Float.MIN_VALUE}, 3)
        .bfloat16s("\u00e9 \ud83d\ude00", new short[] {0x3f80, -1}, 1, 2)
        .doubles("d", new double[] {Math.PI})
        .longs("l", new long[] {Long.MIN_VALUE, 1, 2, 3}, 2, 2)
        .ints("i", new int[0], 4, 0)
        .bytes("b", new byte[] {1, 2, 3, 4, 5}, 5)
        .metadata("key", "value")
        .write(file);
    return Files.readAllBytes(file);
  }

  /**
   * Damaged before its header length and its checksum are computed, so that a reader has to look at
   * what is wrong, or in its data alone, or just anywhere.
   */
  public static byte[] damaged(byte[] sample, SplittableRandom random) {
    int where = random.nextInt(4);
    if (where == 0) {
      return Damage.of(sample, random);
    }
    int end = Long.BYTES + (int) little(sample).getLong();
    byte[] header = Arrays.copyOfRange(sample, Long.BYTES, end);
    byte[] data = Arrays.copyOfRange(sample, end, sample.length);
    if (where == 1) {
      data = Damage.of(data, random);
    } else {
      header = Damage.of(header, random);
    }
    return sealed(header, data);
  }

  /** A file of these, with the right checksum if the header is one and says where that stands. */
  private static byte[] sealed(byte[] header, byte[] data) {
    byte[] bytes = Arrays.copyOf(of(header, 0), Long.BYTES + header.length + data.length);
    System.arraycopy(data, 0, bytes, Long.BYTES + header.length, data.length);
    int at = new String(header, StandardCharsets.ISO_8859_1).indexOf(CHECKSUM);
    try {
      MessageDigest digest = Header.parse("x", header, data.length).digest();
      byte[] checksum =
          HexFormat.of().formatHex(digest.digest(data)).getBytes(StandardCharsets.US_ASCII);
      if (at >= 0 && header.length >= at + CHECKSUM.length() + checksum.length) {
        System.arraycopy(checksum, 0, bytes, Long.BYTES + at + CHECKSUM.length(), checksum.length);
      }
    } catch (MalformedFileException _) {
      // no reader gets as far as to the checksum
    }
    return bytes;
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
