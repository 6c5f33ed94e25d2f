package dev.switchyard.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Damages the bytes of a file, text or not: by chance, and where it hurts, which is at lengths,
 * numbers, and whole values of JSON.
 */
public final class Damage {
  private static final int LONGEST = 1 << 20;

  /** At the edges of what types hold, and what is no number to all. */
  private static final List<String> NUMBERS =
      List.of(
          "0",
          "-0",
          "-1",
          "1",
          "3",
          "01",
          "0.5",
          "1e999",
          "1e-999",
          "2147483647",
          "2147483648",
          "4294967297",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775808",
          "1" + "0".repeat(400),
          "",
          "7.",
          "NaN",
          "Infinity");

  private static final List<String> OTHER_VALUES =
      List.of(
          "null",
          "true",
          "[]",
          "{}",
          "\"\"",
          "\"1\"",
          "\"\\ud83d\"",
          "\"" + "x".repeat(5000) + "\"");

  /** What is no UTF-8, or no character of a text. */
  private static final List<byte[]> BAD_TEXT =
      List.of(
          bytes(0xff),
          bytes(0x80),
          bytes(0xc0, 0x80),
          bytes(0xed, 0xa0, 0x80),
          bytes(0xf4, 0x90, 0x80, 0x80),
          bytes(0xe2, 0x82),
          bytes(0, 0, 0xfe, 0xff),
          bytes(0xfe, 0xff),
          bytes(0xef, 0xbb, 0xbf),
          bytes(0),
          bytes(0, 0, 0),
          bytes('\t'),
          bytes('\r', '\n'),
          bytes('"'),
          bytes('\\'));

  private final SplittableRandom random;
  private byte[] bytes;

  private Damage(byte[] bytes, SplittableRandom random) {
    this.bytes = bytes;
    this.random = random;
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** A copy with a damage or more. */
  public static byte[] of(byte[] bytes, SplittableRandom random) {
    Damage damage = new Damage(bytes.clone(), random);
    do {
      damage.once();
    } while (random.nextInt(3) == 0);
    return damage.bytes;
  }

  private void once() {
    switch (random.nextInt(13)) {
      case 0 -> flip();
      case 1 -> overwrite();
      case 2 -> putNumber();
      case 3 -> bytes = Arrays.copyOf(bytes, place());
      case 4 -> replace(piece(), new byte[0]);
      case 5 -> repeat();
      case 6 -> replace(piece(), content(piece()));
      case 7 -> swap();
      case 8 -> replace(piece(), any(OTHER_VALUES));
      case 9 -> replace(piece(), any(NUMBERS));
      case 10 -> replace(digits(), any(NUMBERS));
      case 11 -> nest();
      default -> insert();
    }
  }

  /** Between two bytes, or at either end. */
  private int place() {
    return random.nextInt(bytes.length + 1);
  }

  private record Piece(int from, int to) {}

  /** Any few bytes, or a whole value of JSON. */
  private Piece piece() {
    int from = place();
    if (random.nextBoolean()) {
      int length = random.nextInt(1 << random.nextInt(10));
      return new Piece(from, Math.min(bytes.length, from + length));
    }
    while (from < bytes.length && ":,[".indexOf(bytes[from]) < 0) {
      from++;
    }
    int begin = Math.min(bytes.length, from + 1);
    return new Piece(begin, valueEnd(begin));
  }

  /** Where the value ends that begins there: at a comma or bracket that is not within it. */
  private int valueEnd(int begin) {
    int depth = 0;
    for (int i = begin; i < bytes.length; i++) {
      if (bytes[i] == '[' || bytes[i] == '{') {
        depth++;
      } else if (depth == 0 && ",]}".indexOf(bytes[i]) >= 0) {
        return i;
      } else if (bytes[i] == ']' || bytes[i] == '}') {
        depth--;
      }
    }
    return bytes.length;
  }

  /** A number, be it a text's. */
  private Piece digits() {
    int from = place();
    while (from < bytes.length && !isDigit(bytes[from])) {
      from++;
    }
    int to = from;
    while (to < bytes.length && isDigit(bytes[to])) {
      to++;
    }
    return new Piece(from, to);
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  private byte[] any(List<String> texts) {
    return ascii(texts.get(random.nextInt(texts.size())));
  }

  private byte[] content(Piece piece) {
    return Arrays.copyOfRange(bytes, piece.from, piece.to);
  }

  private void replace(Piece piece, byte[] by) {
    if (bytes.length + by.length <= LONGEST) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.write(bytes, 0, piece.from);
      out.writeBytes(by);
      out.write(bytes, piece.to, bytes.length - piece.to);
      bytes = out.toByteArray();
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private void flip() {
    for (int left = random.nextInt(1, 9); left > 0 && bytes.length > 0; left--) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
  }

  private void overwrite() {
    Piece piece = piece();
    boolean one = random.nextBoolean();
    byte all = (byte) (random.nextBoolean() ? -random.nextInt(2) : random.nextInt());
    for (int i = piece.from; i < piece.to; i++) {
      bytes[i] = one ? all : (byte) random.nextInt();
    }
  }

  /** An extreme number, or one off by a little, over the bytes at some place, often the first. */
  private void putNumber() {
    int size = 1 << random.nextInt(4);
    if (bytes.length < size) {
      return;
    }
    int from =
        random.nextInt(Math.min(bytes.length - size + 1, random.nextBoolean() ? 17 : 1 << 30));
    boolean little = random.nextBoolean();
    long old = 0;
    for (int i = 0; i < size; i++) {
      old = (old << 8) | (bytes[little ? from + size - 1 - i : from + i] & 0xff);
    }
    long highest = Long.MAX_VALUE >>> (64 - 8 * size);
    long number =
        switch (random.nextInt(7)) {
          case 0 -> 0;
          case 1 -> -1;
          case 2 -> highest;
          case 3 -> -highest - 1;
          case 4 -> highest >> random.nextInt(8 * size);
          case 5 -> old + random.nextInt(-2, 3);
          default -> old << random.nextInt(8 * size);
        };
    ByteBuffer put = ByteBuffer.allocate(Long.BYTES);
    put.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN).putLong(number);
    System.arraycopy(put.array(), little ? 0 : Long.BYTES - size, bytes, from, size);
  }

  /** A piece again, somewhere; once or very often. */
  private void repeat() {
    byte[] piece = content(piece());
    int times = random.nextInt(3) == 0 ? 1 << random.nextInt(14) : 1;
    if ((long) times * piece.length <= LONGEST) {
      byte[] all = new byte[times * piece.length];
      for (int i = 0; i < all.length; i++) {
        all[i] = piece[i % piece.length];
      }
      int at = place();
      replace(new Piece(at, at), all);
    }
  }

  private void swap() {
    Piece a = piece();
    Piece b = piece();
    if (a.from > b.from) {
      Piece first = b;
      b = a;
      a = first;
    }
    if (a.to <= b.from) {
      byte[] later = content(b);
      replace(b, content(a));
      replace(a, later);
    }
  }

  /** A value that is deep, closed again or not. */
  private void nest() {
    int depth = 1 << random.nextInt(4, 17);
    boolean array = random.nextBoolean();
    String open = (array ? "[" : "{\"a\":").repeat(depth);
    String close = (array ? "]" : "}").repeat(random.nextBoolean() ? depth : 0);
    replace(piece(), ascii(open + "1" + close));
  }

  /** Bad text somewhere, or any bytes at the end. */
  private void insert() {
    if (random.nextBoolean()) {
      int at = random.nextBoolean() ? place() : 0;
      replace(new Piece(at, at), BAD_TEXT.get(random.nextInt(BAD_TEXT.size())));
    } else {
      byte[] garbage = new byte[random.nextInt(1, 40)];
      random.nextBytes(garbage);
      replace(new Piece(bytes.length, bytes.length), garbage);
    }
  }
}
