package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TensorsTest {
  private final Tape tape = Tape.none(Fixtures.kernels("vector", 2));
  private final Tensor a = Tensor.of(gaussian(3, 2, 1));
  private final Tensor b = Tensor.of(gaussian(3, 1, 2));

  @Test
  void lieSideBySide() {
    Tensor y = Tensors.concat(tape, a, b, a);
    for (int i = 0; i < 3; i++) {
      float[] row = y.value().rowRange(i, i + 1).toArray();
      float[] left = a.value().rowRange(i, i + 1).toArray();
      assertThat(row).containsExactly(left[0], left[1], b.value().get(i, 0), left[0], left[1]);
    }
    assertThat(Tensors.concat(tape, a).value().toArray()).isEqualTo(a.value().toArray());
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tensors.mul(tape, a, b))
        .withMessage("cannot multiply 3x2 with 3x1 by elements (expected equal shapes)");
    Tensor other = Tensor.of(gaussian(2, 2, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tensors.concat(tape, a, other))
        .withMessage("cannot put 2x2 beside 3x2 (expected equal rows)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tensors.concat(tape))
        .withMessage("there is nothing to put side by side (expected tensors)");
  }
}
