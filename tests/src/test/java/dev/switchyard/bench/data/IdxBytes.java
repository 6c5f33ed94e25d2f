package dev.switchyard.bench.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.zip.GZIPOutputStream;

/** Makes IDX files for tests, good ones and others. */
final class IdxBytes {
  static final int IMAGES = 0x0803;
  static final int LABELS = 0x0801;

  private IdxBytes() {}

  /** A header of any numbers, then as many bytes as given, counting up from 0. */
  static byte[] idx(int values, int... header) {
    ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES * header.length + values);
    for (int number : header) {
      buffer.putInt(number);
    }
    for (int i = 0; i < values; i++) {
      buffer.put((byte) i);
    }
    return buffer.array();
  }

  static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
