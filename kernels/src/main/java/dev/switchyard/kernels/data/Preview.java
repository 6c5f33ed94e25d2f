package dev.switchyard.kernels.data;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How matrices show themselves: what they are, their shape, and the first of their elements. */
final class Preview {
  private static final int ROWS = 4;
  private static final int COLS = 8;

  /** The text of an element. */
  interface Element {
    Object at(int row, int col);
  }

  private Preview() {}

  static String of(String what, int rows, int cols, Element element) {
    return what
        + " "
        + rows
        + "x"
        + cols
        + " "
        + list(rows, ROWS, i -> list(cols, COLS, j -> String.valueOf(element.at(i, j))));
  }

  private static String list(int count, int most, java.util.function.IntFunction<String> each) {
    String shown =
        IntStream.range(0, Math.min(count, most)).mapToObj(each).collect(Collectors.joining(", "));
    return "[" + shown + (count > most ? ", ...]" : "]");
  }
}
