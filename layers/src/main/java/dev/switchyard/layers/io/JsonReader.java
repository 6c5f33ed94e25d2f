package dev.switchyard.layers.io;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the JSON (RFC 8259) of a header: objects, strings and whole numbers from 0. The caller says
 * what has to come next and anything else is refused or passed over, so that no file makes this
 * class keep what nobody asked for.
 */
final class JsonReader {
  private static final int END = -1;

  /** How deep what is passed over may nest; no writer has a use for it. */
  private static final int DEPTH = 100;

  private static final Pattern LITERAL =
      Pattern.compile("true|false|null|-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");

  private final String file;
  private final byte[] json;
  private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder(); // refuses what is not
  private int at;

  JsonReader(String file, byte[] json) {
    this.file = file;
    this.json = json;
  }

  /** Reads the value of one member of an object. */
  interface Member {
    void read(String key) throws MalformedFileException;
  }

  /** An object, each member of which is read by {@code member}. No key may come twice. */
  void object(Member member) throws MalformedFileException {
    expect('{', "an object");
    if (skip('}')) {
      return;
    }
    Set<String> keys = new HashSet<>();
    do {
      String key = string();
      if (!keys.add(key)) {
        throw problem("the name \"" + key + "\" twice", "each once");
      }
      expect(':', "a colon");
      member.read(key);
    } while (skip(','));
    expect('}', "a comma or the end of the object");
  }

  /** Passes over {@code null}; false if something else comes next. */
  boolean skipNull() throws MalformedFileException {
    if (next() != 'n') {
      return false;
    }
    skipValue();
    return true;
  }

  /** Passes over any value. */
  void skipValue() throws MalformedFileException {
    skipValue(DEPTH);
  }

  private void skipValue(int depth) throws MalformedFileException {
    if (depth == 0) {
      throw problem("values in values", "at most " + DEPTH + " in each other");
    }
    switch (next()) {
      case '{' -> object(_ -> skipValue(depth - 1));
      case '[' -> {
        at++;
        if (!skip(']')) {
          do {
            skipValue(depth - 1);
          } while (skip(','));
          expect(']', "a comma or the end of the array");
        }
      }
      case '"' -> string();
      default -> skipLiteral();
    }
  }

  private void skipLiteral() throws MalformedFileException {
    int begin = at;
    while (peek() > ' ' && ",]}".indexOf(peek()) < 0) {
      at++;
    }
    String literal = new String(json, begin, at - begin, StandardCharsets.ISO_8859_1);
    if (!LITERAL.matcher(literal).matches()) {
      at = begin;
      throw unexpected("a value");
    }
  }

  /** An array of at most {@code limit} whole numbers. */
  List<Long> integers(int limit) throws MalformedFileException {
    expect('[', "an array");
    List<Long> values = new ArrayList<>();
    if (skip(']')) {
      return values;
    }
    do {
      if (values.size() == limit) {
        throw problem("a longer array", "at most " + limit + " numbers");
      }
      values.add(integer());
    } while (skip(','));
    expect(']', "a comma or the end of the array");
    return values;
  }

  private long integer() throws MalformedFileException {
    String expected = "a whole number from 0 to 2^63 - 1";
    int first = next();
    if (first < '0' || first > '9') {
      throw unexpected(expected);
    }
    int begin = at;
    long value = 0;
    while (peek() >= '0' && peek() <= '9') {
      int digit = peek() - '0';
      if (value > (Long.MAX_VALUE - digit) / 10) {
        throw problem("a larger number", expected);
      }
      value = 10 * value + digit;
      at++;
    }
    if (first == '0' && at > begin + 1) {
      throw problem("a number that starts with 0", expected);
    }
    return value; // a fraction or an exponent is no comma, and refused as that
  }

  String string() throws MalformedFileException {
    expect('"', "a string");
    StringBuilder text = new StringBuilder();
    while (true) {
      int begin = at;
      while (peek() >= ' ' && peek() != '"' && peek() != '\\') {
        at++;
      }
      decode(begin, text);
      if (peek() == '"') {
        at++;
        break;
      }
      if (peek() != '\\') {
        throw unexpected("the end of the string");
      }
      at++;
      text.append(escaped());
    }
    checkSurrogates(text);
    return text.toString();
  }

  private void decode(int begin, StringBuilder text) throws MalformedFileException {
    try {
      text.append(utf8.decode(ByteBuffer.wrap(json, begin, at - begin)));
    } catch (CharacterCodingException _) {
      throw problem("bytes that are not UTF-8 before this", "a string in UTF-8");
    }
  }

  private char escaped() throws MalformedFileException {
    int kind = peek();
    int which = "\"\\/bfnrt".indexOf(kind);
    if (kind != 'u' && which < 0) {
      throw unexpected("one of \"\\/bfnrtu after the backslash");
    }
    at++;
    return kind == 'u' ? codeUnit() : "\"\\/\b\f\n\r\t".charAt(which);
  }

  private char codeUnit() throws MalformedFileException {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      int digit = Character.digit(peek(), 16); // -1 for the end too
      if (digit < 0) {
        throw unexpected("four hexadecimal digits");
      }
      value = 16 * value + digit;
      at++;
    }
    return (char) value;
  }

  private void checkSurrogates(CharSequence text) throws MalformedFileException {
    if (text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
      throw problem("half a surrogate pair before this", "both halves or none");
    }
  }

  /** Nothing but white space may follow. */
  void end() throws MalformedFileException {
    if (next() != END) {
      throw unexpected("nothing more");
    }
  }

  private void expect(char c, String what) throws MalformedFileException {
    if (!skip(c)) {
      throw unexpected(what);
    }
  }

  private boolean skip(char c) {
    boolean found = next() == c;
    at += found ? 1 : 0;
    return found;
  }

  /** The next byte that is not white space. */
  private int next() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') {
      at++;
    }
    return peek();
  }

  private int peek() {
    return at < json.length ? json[at] & 0xff : END;
  }

  private MalformedFileException unexpected(String expected) {
    return problem(at < json.length ? shown(json[at]) : "its end", expected);
  }

  private static String shown(byte b) {
    return b >= ' ' && b < 0x7f ? "'" + (char) b + "'" : "byte " + (b & 0xff);
  }

  private MalformedFileException problem(String given, String expected) {
    return new MalformedFileException(
        file + " has " + given + " at byte " + at + " of its header (expected " + expected + ")");
  }
}
