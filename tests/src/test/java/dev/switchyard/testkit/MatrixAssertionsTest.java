package dev.switchyard.testkit;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.data.FloatMatrix;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;

class MatrixAssertionsTest {
  private static final FloatMatrix EXPECTED =
      FloatMatrix.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3, 4);

  private static FloatMatrix with(int row, int col, float value) {
    FloatMatrix changed = EXPECTED.copy();
    changed.set(row, col, value);
    return changed;
  }

  private static void fails(ThrowingCallable assertion, String message) {
    assertThatExceptionOfType(AssertionFailedError.class)
        .isThrownBy(assertion)
        .withMessage(message.stripTrailing());
  }

  @Test
  void acceptsEqualMatrices() {
    MatrixAssertions.assertWithin(0, EXPECTED, EXPECTED.copy());
    MatrixAssertions.assertSnr(Double.POSITIVE_INFINITY, EXPECTED, EXPECTED.copy());
    FloatMatrix none = FloatMatrix.allocate(0, 3);
    MatrixAssertions.assertWithin(0, none, none);
  }

  @Test
  void comparesViewsByTheirElements() {
    FloatMatrix large = gaussian(9, 11, 1);
    FloatMatrix view = large.rowRange(2, 5).columnRange(3, 8);

    MatrixAssertions.assertWithin(0, view, view.copy());
  }

  @Test
  void boundIsInclusive() {
    MatrixAssertions.assertWithin(0.5, EXPECTED, with(1, 2, 7.5f));
    assertThatCode(() -> MatrixAssertions.assertWithin(0.49, EXPECTED, with(1, 2, 7.5f)))
        .isInstanceOf(AssertionFailedError.class);
  }

  @Test
  void showsWhereTheLargestDifferenceIs() {
    fails(
        () -> MatrixAssertions.assertWithin(0.25, EXPECTED, with(1, 2, 7.5f)),
        """
        3x4: 1 of 12 elements differ by more than 0.2500
        SNR 34.1 dB, largest difference 0.5000 at row 1, column 2 (expected 7.000000, was 7.500000)
        worst rows: 1 (28.4 dB)
                    column            0            1            2            3
            row 0 expected       1.0000       2.0000       3.0000       4.0000
                       was       1.0000       2.0000       3.0000       4.0000
            row 1 expected       5.0000       6.0000       7.0000       8.0000
                       was       5.0000       6.0000       7.5000       8.0000
            row 2 expected       9.0000       10.000       11.000       12.000
                       was       9.0000       10.000       11.000       12.000
        """);
  }

  /** The sum of squares is 650; a difference of d gives 10 log10(650 / d^2). */
  @ParameterizedTest
  @CsvSource({"1,28.12", "2,22.1", "0.5,34.14"})
  void computesTheSignalToNoiseRatio(float difference, double decibels) {
    FloatMatrix actual = with(2, 0, 9 + difference);

    MatrixAssertions.assertSnr(decibels, EXPECTED, actual);
    assertThatCode(() -> MatrixAssertions.assertSnr(decibels + 0.02, EXPECTED, actual))
        .hasMessageStartingWith("3x4: signal-to-noise ratio is below");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void whatIsNotFiniteEqualsItsLikeAlone(float value) {
    FloatMatrix special = with(1, 1, value);

    MatrixAssertions.assertWithin(0, special, special.copy());
    MatrixAssertions.assertSnr(100, special, special.copy());
    for (float other : new float[] {6, Float.NaN, Float.POSITIVE_INFINITY}) {
      if (Float.compare(other, value) != 0) {
        assertThatCode(() -> MatrixAssertions.assertWithin(1e30, special, with(1, 1, other)))
            .isInstanceOf(AssertionFailedError.class);
        assertThatCode(() -> MatrixAssertions.assertSnr(-1e3, special, with(1, 1, other)))
            .isInstanceOf(AssertionFailedError.class);
        assertThatCode(() -> MatrixAssertions.assertSnr(-1e3, with(1, 1, other), special))
            .isInstanceOf(AssertionFailedError.class);
      }
    }
  }

  @Test
  void noiseWithoutSignalFails() {
    assertThatCode(
            () ->
                MatrixAssertions.assertSnr(
                    0, FloatMatrix.allocate(2, 2), FloatMatrix.of(new float[] {0, 0, 0, 1}, 2, 2)))
        .hasMessageContaining("SNR -Infinity dB");
  }

  @Test
  void otherShapesFail() {
    fails(
        () -> MatrixAssertions.assertWithin(1, EXPECTED, FloatMatrix.allocate(4, 3)),
        "matrix is 4x3 (expected 3x4)");
    fails(
        () -> MatrixAssertions.assertSnr(1, EXPECTED, FloatMatrix.allocate(3, 5)),
        "matrix is 3x5 (expected 3x4)");
  }

  @Test
  void refusesBoundsThatAreNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MatrixAssertions.assertWithin(-1, EXPECTED, EXPECTED))
        .withMessage("bound is -1.0 (expected 0 or more)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MatrixAssertions.assertWithin(Double.NaN, EXPECTED, EXPECTED))
        .withMessage("bound is NaN (expected 0 or more)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MatrixAssertions.assertSnr(Double.NaN, EXPECTED, EXPECTED))
        .withMessage("decibels is NaN (expected a number)");
  }
}
