package dev.switchyard.bench.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Lines of text in UTF-8, read one by one: ended by a line feed, a carriage return or both, as the
 * JDK has it. Lines that are not UTF-8 or longer than {@link #LIMIT} are refused.
 */
public final class Utf8Lines {
  /** The most bytes of a line: some hundred times the longest mail of those shipped. */
  static final int LIMIT = 1 << 20;

  private final String name;
  private final InputStream in;
  private final byte[] buffer = new byte[1 << 14];
  private int next;
  private int end;
  private boolean afterReturn;
  private int number;

  /**
   * Lines of a stream.
   *
   * @param name of what is read, for messages
   */
  public Utf8Lines(String name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  /**
   * The next line, without its end.
   *
   * @return null after the last
   * @throws DataException if it is too long or not UTF-8
   * @throws IOException if the stream fails
   */
  public String next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    boolean found = false;
    while (true) {
      if (next == end && !fill()) {
        return found ? decode(line) : null;
      }
      if (afterReturn && buffer[next] == '\n') {
        next++;
        afterReturn = false;
        continue;
      }
      afterReturn = false;
      if (!found) {
        number++;
        found = true;
      }
      int from = next;
      while (next < end && buffer[next] != '\n' && buffer[next] != '\r') {
        next++;
      }
      line.write(buffer, from, next - from);
      if (line.size() > LIMIT) {
        throw new DataException(
            String.format(
                Locale.ROOT, "line %d of %s is longer than %,d bytes", number, name, LIMIT));
      }
      if (next < end) {
        afterReturn = buffer[next++] == '\r';
        return decode(line);
      }
    }
  }

  private boolean fill() throws IOException {
    next = 0;
    end = Math.max(0, in.read(buffer));
    return end > 0;
  }

  private String decode(ByteArrayOutputStream line) {
    try {
      CharBuffer chars =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.toByteArray()));
      return chars.toString();
    } catch (CharacterCodingException e) {
      throw new DataException("line " + number + " of " + name + " is not UTF-8", e);
    }
  }

  /** The number of the last line, from 1. */
  public int number() {
    return number;
  }

  /** Whether more can be read without waiting. */
  public boolean isReady() throws IOException {
    return next < end || in.available() > 0;
  }
}
