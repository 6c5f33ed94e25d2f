package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import org.junit.jupiter.api.Test;

class GatheredRowsTest {
  private static Tensor gather(Collective collective, int rows, int cols) {
    Tape tape = Tape.recording(Kernels.create(Parallel.serial()));
    FloatMatrix x = FloatMatrix.allocate(rows, cols);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = 100 * collective.rank() + i;
    }
    return new GatheredRows(collective).forward(tape, Tensor.of(x));
  }

  @Test
  void rowsOfOneProcessFollowThoseOfAnother() throws Exception {
    ThreadRanks.run(
        2,
        collective ->
            assertThat(gather(collective, 1 + collective.rank(), 2).value().toArray())
                .containsExactly(0, 1, 100, 101, 102, 103));
  }

  /** Four rows of three values are not two of six, though there are as many. */
  @Test
  void rowsOfAnotherLengthAreRefusedHoweverManyThereAre() throws Exception {
    ThreadRanks.run(
        2,
        collective -> {
          int own = 6 - 3 * collective.rank();
          assertThatThrownBy(() -> gather(collective, 12 / own, own))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage(
                  "process %d has rows of %d values but those here have %d (expected the same)",
                  1 - collective.rank(), 9 - own, own);
        });
  }

  @Test
  void rowsThatNoArrayHoldsAreRefused() {
    assertThat(GatheredRows.length(1 << 28, 1)).isEqualTo((1 << 30) + 4);
    assertThatThrownBy(() -> GatheredRows.length(1 << 20, 1 << 9))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("1048576 rows of 512 values are more than a process can send");
  }
}
