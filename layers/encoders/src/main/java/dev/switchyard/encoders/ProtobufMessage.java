package dev.switchyard.encoders;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Reads the fields of one message in a file of Protocol Buffers, in their order: {@link #next},
 * then what the field holds, or nothing to pass over it. A message within is read from where it
 * lies. Every length is checked against what encloses it before anything is made of it.
 */
final class ProtobufMessage {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private static final int LONGEST_VARINT = 10;
  private static final int LONGEST_TEXT = 1 << 12;

  private final String file;
  private final MemorySegment data;
  private final long end;
  private long at;
  private int field;
  private int type;
  private long content; // where the field's content begins
  private long length; // of its content, if it is bytes

  /** The message between two places of a file. */
  ProtobufMessage(String file, MemorySegment data, long begin, long end) {
    this.file = file;
    this.data = data;
    this.at = begin;
    this.end = end;
  }

  /** Goes to the next field; false at the end of the message. */
  boolean next() throws ModelFileException {
    if (at == end) {
      return false;
    }
    long key = readVarint();
    type = (int) key & 7;
    if (key >>> 3 == 0 || key >>> 3 > 1 << 29) {
      throw problem("field " + (key >>> 3), "a number from 1 to 2^29");
    }
    field = (int) (key >>> 3);
    switch (type) {
      case VARINT -> {
        content = at;
        readVarint();
      }
      case FIXED64 -> pass(Long.BYTES);
      case BYTES -> pass(readVarint());
      case FIXED32 -> pass(Integer.BYTES);
      default -> throw problem("field " + field + " of wire type " + type, "0, 1, 2 or 5");
    }
    return true;
  }

  private void pass(long bytes) throws ModelFileException {
    if (bytes < 0 || bytes > end - at) {
      throw problem(
          String.format(
              Locale.ROOT,
              "field %d of %s bytes where %d are left",
              field,
              Long.toUnsignedString(bytes),
              end - at),
          "a field within its message");
    }
    content = at;
    length = bytes;
    at += bytes;
  }

  private long readVarint() throws ModelFileException {
    long value = 0;
    for (int i = 0; i < LONGEST_VARINT; i++) {
      if (at == end) {
        throw problem("a number that does not end", "one within its message");
      }
      byte b = data.get(ValueLayout.JAVA_BYTE, at++);
      value |= (long) (b & 0x7f) << (7 * i);
      if (b >= 0) {
        return value;
      }
    }
    throw problem("a number of more than " + LONGEST_VARINT + " bytes", "at most so many");
  }

  /** The number of the field. */
  int field() {
    return field;
  }

  /** Where the field's bytes begin in the file. */
  long begin() throws ModelFileException {
    require(BYTES);
    return content;
  }

  /** How many bytes the field has. */
  long length() throws ModelFileException {
    require(BYTES);
    return length;
  }

  /** The field as a whole number. */
  long integer() throws ModelFileException {
    require(VARINT);
    return new ProtobufMessage(file, data, content, at).readVarint();
  }

  /** The field as a 32-bit float. */
  float number() throws ModelFileException {
    require(FIXED32);
    return data.get(OnnxFile.FLOAT, content);
  }

  /** The field as a message. */
  ProtobufMessage message() throws ModelFileException {
    return new ProtobufMessage(file, data, begin(), begin() + length);
  }

  /** The field as text. */
  String text() throws ModelFileException {
    if (length() > LONGEST_TEXT) {
      throw problem("a name of " + length + " bytes", "at most " + LONGEST_TEXT);
    }
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, content, bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Adds the numbers of a repeated field, of which this is one or a packed run, to a list. */
  void addIntegers(List<Long> list, int limit) throws ModelFileException {
    if (type == VARINT) {
      list.add(integer());
    } else {
      ProtobufMessage packed = message();
      while (packed.at < packed.end && list.size() <= limit) {
        list.add(packed.readVarint());
      }
    }
    if (list.size() > limit) {
      throw problem("more than " + limit + " numbers in field " + field, "at most so many");
    }
  }

  private void require(int expected) throws ModelFileException {
    if (type != expected) {
      throw problem("field " + field + " of wire type " + type, String.valueOf(expected));
    }
  }

  private ModelFileException problem(String given, String expected) {
    return new ModelFileException(file, given + " at byte " + at, expected);
  }
}
