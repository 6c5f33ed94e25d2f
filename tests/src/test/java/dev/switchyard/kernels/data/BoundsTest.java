package dev.switchyard.kernels.data;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

/** Limits that no test has the memory to meet with a real array. */
class BoundsTest {
  @Test
  void elementsEndWhereIndicesHaveRoomForAStep() {
    int most = Integer.MAX_VALUE - 1024;
    assertThatCode(() -> Bounds.checkView("matrix", Integer.MAX_VALUE, 0, 1, most, most))
        .doesNotThrowAnyException();
    assertThatCode(() -> Bounds.checkView("matrix", most, 5, Integer.MAX_VALUE, 0, 0))
        .doesNotThrowAnyException();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Bounds.checkView("matrix", Integer.MAX_VALUE, 1, most, 1, 1))
        .withMessage(
            "matrix 2147482623x1 at offset 1 with row stride 1 ends at 2147482624 (expected"
                + " 2147482623 at most)");
  }
}
