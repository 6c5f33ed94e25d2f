package dev.switchyard.layers.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files made by hand, and one of each kind of content. */
final class FileBytes {
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
}
