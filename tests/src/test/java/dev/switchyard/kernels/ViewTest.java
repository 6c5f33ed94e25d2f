package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import java.util.Locale;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The three views over arrays, which behave alike. */
class ViewTest {
  private interface Getter {
    double get(int row, int col);
  }

  private interface Setter {
    void set(int row, int col, int value);
  }

  private interface Range {
    View of(int from, int to);
  }

  /** Any of the three. */
  private record View(
      int offset,
      int rows,
      int cols,
      int rowStride,
      Getter get,
      Setter set,
      Range rowRange,
      Range columnRange) {
    static View of(FloatMatrix m) {
      return new View(
          m.offset(),
          m.rows(),
          m.cols(),
          m.rowStride(),
          m::get,
          m::set,
          (from, to) -> of(m.rowRange(from, to)),
          (from, to) -> of(m.columnRange(from, to)));
    }

    static View of(Bfloat16Matrix m) {
      return new View(
          m.offset(),
          m.rows(),
          m.cols(),
          m.rowStride(),
          m::get,
          m::set,
          (from, to) -> of(m.rowRange(from, to)),
          (from, to) -> of(m.columnRange(from, to)));
    }

    static View of(IntMatrix m) {
      return new View(
          m.offset(),
          m.rows(),
          m.cols(),
          m.rowStride(),
          m::get,
          m::set,
          (from, to) -> of(m.rowRange(from, to)),
          (from, to) -> of(m.columnRange(from, to)));
    }

    String shape() {
      return rows + "x" + cols;
    }
  }

  private interface Maker {
    View over(int length, int offset, int rows, int cols, int rowStride);
  }

  private interface Allocator {
    View allocate(int rows, int cols);
  }

  @SuppressWarnings("ImmutableEnumChecker") // its fields are functions without state
  enum Type {
    FLOAT(
        (length, offset, rows, cols, stride) ->
            View.of(new FloatMatrix(new float[length], offset, rows, cols, stride)),
        (rows, cols) -> View.of(FloatMatrix.allocate(rows, cols))),
    BFLOAT16(
        (length, offset, rows, cols, stride) ->
            View.of(new Bfloat16Matrix(new short[length], offset, rows, cols, stride)),
        (rows, cols) -> View.of(Bfloat16Matrix.allocate(rows, cols))),
    INT(
        (length, offset, rows, cols, stride) ->
            View.of(new IntMatrix(new int[length], offset, rows, cols, stride)),
        (rows, cols) -> View.of(IntMatrix.allocate(rows, cols)));

    private final Maker maker;
    private final Allocator allocator;

    Type(Maker maker, Allocator allocator) {
      this.maker = maker;
      this.allocator = allocator;
    }

    /** A 4 x 5 view in the middle of its array whose element (i, j) is 10 i + j. */
    private View numbered() {
      View view = maker.over(3 + 3 * 7 + 5, 3, 4, 5, 7);
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 5; j++) {
          view.set.set(i, j, 10 * i + j);
        }
      }
      return view;
    }

    private String title() {
      return name().toLowerCase(Locale.ROOT) + " matrix";
    }
  }

  @ParameterizedTest
  @EnumSource
  void rangesAreViewsOfTheSameElements(Type type) {
    View view = type.numbered();

    View part = view.rowRange.of(1, 3).columnRange.of(2, 5);

    assertThat(part.shape()).isEqualTo("2x3");
    assertThat(part.get.get(0, 0)).isEqualTo(12);
    assertThat(part.get.get(1, 2)).isEqualTo(24);
    part.set.set(1, 0, 99);
    assertThat(view.get.get(2, 2)).isEqualTo(99);
  }

  @ParameterizedTest
  @EnumSource
  void emptyRangesAreAllowedAnywhere(Type type) {
    View view = type.numbered();
    for (int at = 0; at <= 4; at++) {
      View noRows = view.rowRange.of(at, at);
      assertThat(noRows.shape()).isEqualTo("0x5");
      assertThat(noRows.columnRange.of(5, 5).shape()).isEqualTo("0x0");
    }
    for (int at = 0; at <= 5; at++) {
      View noColumns = view.columnRange.of(at, at);
      assertThat(noColumns.shape()).isEqualTo("4x0");
      assertThat(noColumns.rowRange.of(3, 4).shape()).isEqualTo("1x0");
    }
  }

  /** Without elements, rows may lie past the end of the array: there is nothing there to touch. */
  @ParameterizedTest
  @EnumSource
  void rowsOfAViewWithoutColumns(Type type) {
    View view = type.maker.over(4, 0, 5, 0, 3);

    assertThat(view.rowRange.of(3, 5).shape()).isEqualTo("2x0");
  }

  @ParameterizedTest
  @EnumSource
  void allocatesZerosDensely(Type type) {
    View view = type.allocator.allocate(2, 3);

    assertThat(view.shape()).isEqualTo("2x3");
    assertThat(view.offset).isZero();
    assertThat(view.rowStride).isEqualTo(3);
    assertThat(view.get.get(1, 2)).isZero();
    assertThat(type.allocator.allocate(0, 0).shape()).isEqualTo("0x0");
  }

  /** The last view of an array of 26 elements that still fits, and what is wrong with others. */
  @ParameterizedTest
  @EnumSource
  void refusesViewsBeyondTheArray(Type type) {
    String title = type.title();
    assertThat(type.maker.over(26, 3, 4, 5, 6).shape()).isEqualTo("4x5");
    refuses(
        () -> type.maker.over(25, 3, 4, 5, 6),
        title + " 4x5 at offset 3 with row stride 6 ends at 26, but its array has 25 elements");
    refuses(
        () -> type.maker.over(4, 5, 0, 0, 0),
        title + " 0x0 at offset 5 with row stride 0 ends at 5, but its array has 4 elements");
    refuses(
        () -> type.maker.over(26, 0, Integer.MAX_VALUE, 5, Integer.MAX_VALUE),
        title
            + " 2147483647x5 at offset 0 with row stride 2147483647 ends at 4611686011984936967,"
            + " but its array has 26 elements");
    refuses(
        () -> type.maker.over(26, 0, 2, 5, 4),
        title + " has row stride 4 but 5 columns (expected at least that)");
    refuses(() -> type.maker.over(26, -1, 2, 5, 5), title + " has offset -1 (expected 0 or more)");
    refuses(
        () -> type.maker.over(26, 0, -1, 5, 5),
        title + " has shape -1x5 (expected 0 or more rows and columns)");
    refuses(
        () -> type.maker.over(26, 0, 1, -5, 5),
        title + " has shape 1x-5 (expected 0 or more rows and columns)");
  }

  @ParameterizedTest
  @EnumSource
  void refusesToAllocateWhatNoArrayHolds(Type type) {
    refuses(
        () -> type.allocator.allocate(65536, 65536),
        type.title()
            + " 65536x65536 needs 4294967296 elements (expected 0 to 2147482623, what a Java array"
            + " can hold)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> type.allocator.allocate(-1, 3))
        .withMessageContaining("-1x3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> type.allocator.allocate(3, -1))
        .withMessageContaining("3x-1");
  }

  @ParameterizedTest
  @EnumSource
  void refusesElementsAndRangesOutside(Type type) {
    View view = type.numbered();
    for (int[] at : new int[][] {{-1, 0}, {4, 0}, {0, -1}, {0, 5}}) {
      String message = "element (" + at[0] + ", " + at[1] + ") is not within 4x5";
      outOfBounds(() -> view.get.get(at[0], at[1]), message);
      outOfBounds(() -> view.set.set(at[0], at[1], 1), message);
    }
    outOfBounds(() -> view.rowRange.of(-1, 2), "rows -1 to 2 are not within 0 to 4");
    outOfBounds(() -> view.rowRange.of(2, 1), "rows 2 to 1 are not within 0 to 4");
    outOfBounds(() -> view.rowRange.of(2, 5), "rows 2 to 5 are not within 0 to 4");
    outOfBounds(() -> view.columnRange.of(0, 6), "columns 0 to 6 are not within 0 to 5");
  }

  @Test
  void copiesTheElementsAlone() {
    FloatMatrix view =
        FloatMatrix.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8}, 3, 3).columnRange(1, 3);
    FloatMatrix target = FloatMatrix.of(new float[12], 3, 4);

    view.copyTo(target.columnRange(2, 4));

    assertThat(target.data()).containsExactly(0, 0, 1, 2, 0, 0, 4, 5, 0, 0, 7, 8);
    assertThat(view.copy().data()).containsExactly(1, 2, 4, 5, 7, 8);
    refuses(() -> view.copyTo(target), "matrix is 3x2 but target is 3x4 (expected equal shapes)");
  }

  @Test
  void refusesNoArray() {
    assertThatThrownBy(() -> FloatMatrix.of(null, 0, 0)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> Bfloat16Matrix.of(null, 0, 0))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> IntMatrix.of(null, 0, 0)).isInstanceOf(NullPointerException.class);
  }

  /** Ties go to the even neighbour; the distance of bfloat16 numbers from 256 to 512 is 2. */
  @ParameterizedTest
  @CsvSource({"255,255", "256,256", "257,256", "258,258", "259,260", "-257,-256", "260,260"})
  void bfloat16RoundsWhatItStores(float value, float stored) {
    Bfloat16Matrix matrix = Bfloat16Matrix.allocate(1, 1);

    matrix.set(0, 0, value);

    assertThat(matrix.get(0, 0)).isEqualTo(stored);
  }

  private static void refuses(ThrowingCallable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }

  private static void outOfBounds(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IndexOutOfBoundsException.class).hasMessage(message);
  }
}
