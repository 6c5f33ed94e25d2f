package dev.switchyard.kernels.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Elements on their way into arrays, buffers, memory and text, whatever lies around them. */
class FloatMatrixTest {
  private static final float AROUND = -7;

  /** A matrix whose elements are 1, 2, ... amid others, or those others alone. */
  private static FloatMatrix within(int offset, int rows, int cols, int padding, boolean filled) {
    float[] array = new float[offset + rows * (cols + padding) + 3];
    Arrays.fill(array, AROUND);
    FloatMatrix matrix = new FloatMatrix(array, offset, rows, cols, cols + padding);
    for (int i = 0; filled && i < rows * cols; i++) {
      matrix.set(i / cols, i % cols, i + 1);
    }
    return matrix;
  }

  @Property
  void goesOutAndComesBack(
      @ForAll @IntRange(max = 5) int offset,
      @ForAll @IntRange(max = 6) int rows,
      @ForAll @IntRange(max = 6) int cols,
      @ForAll @IntRange(max = 4) int padding,
      @ForAll boolean direct,
      @ForAll boolean bigEndian) {
    int n = rows * cols;
    float[] expected = new float[n];
    for (int i = 0; i < n; i++) {
      expected[i] = i + 1;
    }
    FloatMatrix from = within(offset, rows, cols, padding, true);
    FloatMatrix filled = within(offset, rows, cols, padding, true);

    assertThat(from.toArray()).isEqualTo(expected);
    float[] array = new float[n];
    from.copyTo(array);
    assertThat(array).isEqualTo(expected);
    FloatMatrix to = within(offset, rows, cols, padding, false);
    to.copyFrom(array);
    assertThat(to.data()).as("what lies around is as it was").isEqualTo(filled.data());

    ByteBuffer bytes =
        direct ? ByteBuffer.allocateDirect(4 * n + 12) : ByteBuffer.allocate(4 * n + 12);
    FloatBuffer buffer =
        bytes.order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    buffer.position(1);
    from.copyTo(buffer);
    assertThat(buffer.position()).isEqualTo(1);
    float[] inBuffer = new float[n];
    buffer.get(1, inBuffer);
    assertThat(inBuffer).isEqualTo(expected);
    assertThat(buffer.get(0)).isZero();
    assertThat(buffer.get(n + 1)).isZero();
    to = within(offset, rows, cols, padding, false);
    to.copyFrom(buffer.asReadOnlyBuffer());
    assertThat(to.data()).isEqualTo(filled.data());

    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory =
          direct ? arena.allocate(4L * n + 4) : MemorySegment.ofArray(new byte[4 * n + 4]);
      from.copyTo(memory);
      for (int i = 0; i < n; i++) {
        assertThat(memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i)).isEqualTo(i + 1);
      }
      to = within(offset, rows, cols, padding, false);
      to.copyFrom(memory.asReadOnly());
      assertThat(to.data()).isEqualTo(filled.data());
    }
  }

  @Test
  void refusesOtherSizesAndChangesNothing() {
    FloatMatrix matrix = within(1, 2, 3, 1, true);
    for (int length : new int[] {5, 7}) {
      float[] array = new float[length];
      String expected = "the array has " + length + " elements but the matrix is 2x3 (expected 6)";
      assertThatIllegalArgumentException()
          .isThrownBy(() -> matrix.copyTo(array))
          .withMessage(expected);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> matrix.copyFrom(array))
          .withMessage(expected);
    }
    FloatBuffer few = FloatBuffer.allocate(8).position(3);
    String expected = "the buffer has 5 floats left but the matrix is 2x3 (expected 6 or more)";
    assertThatIllegalArgumentException().isThrownBy(() -> matrix.copyTo(few)).withMessage(expected);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> matrix.copyFrom(few))
        .withMessage(expected);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> matrix.copyTo(FloatBuffer.allocate(6).asReadOnlyBuffer()))
        .withMessage("the target of 2x3 elements is read-only");
    assertThat(few.array()).containsOnly(0);
    assertThat(matrix.data()).isEqualTo(within(1, 2, 3, 1, true).data());
  }

  /** Rows without elements need not lie within the array. */
  @Test
  void copyNothing() {
    FloatMatrix none = new FloatMatrix(new float[1], 1, 3, 0, 5);
    assertThat(none.toArray()).isEmpty();
    none.copyTo(new float[0]);
    none.copyFrom(new float[0]);
    none.copyTo(FloatBuffer.allocate(0));
    none.copyFrom(FloatBuffer.allocate(0));
    none.copyTo(MemorySegment.NULL);
    none.copyFrom(MemorySegment.NULL);
  }

  @Test
  void showShapeAndFirstElements() {
    assertThat(within(2, 2, 3, 1, true))
        .hasToString("FloatMatrix 2x3 [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]");
    assertThat(FloatMatrix.allocate(5, 9))
        .asString()
        .startsWith("FloatMatrix 5x9 [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ...], [")
        .endsWith(", ...], ...]");
    assertThat(FloatMatrix.allocate(0, 3)).hasToString("FloatMatrix 0x3 []");
    assertThat(FloatMatrix.allocate(1, 0)).hasToString("FloatMatrix 1x0 [[]]");
    assertThat(IntMatrix.of(new int[] {1, -2}, 1, 2)).hasToString("IntMatrix 1x2 [[1, -2]]");
    Bfloat16Matrix half = Bfloat16Matrix.allocate(1, 2);
    half.set(0, 1, 1.5f);
    assertThat(half).hasToString("Bfloat16Matrix 1x2 [[0.0, 1.5]]");
    QuantizedMatrix quantized = new QuantizedMatrix(Scaling.ROW);
    assertThat(quantized).hasToString("QuantizedMatrix by row without values");
    quantized.beginFill(1, 2);
    quantized.data()[1] = -127;
    assertThat(quantized).hasToString("QuantizedMatrix by row without values");
    quantized.endFill();
    assertThat(quantized).hasToString("QuantizedMatrix by row 1x2 [[0, -127]]");
  }

  @Test
  void equalIsTheSamePartOfTheSameArray() {
    float[] array = {1, 2, 1, 2};
    assertThat(FloatMatrix.of(array, 1, 2)).isEqualTo(FloatMatrix.of(array, 1, 2));
    assertThat(FloatMatrix.of(array, 1, 2))
        .isNotEqualTo(new FloatMatrix(array, 2, 1, 2, 2))
        .isNotEqualTo(FloatMatrix.of(array, 1, 2).copy());
  }
}
