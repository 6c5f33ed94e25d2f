package dev.switchyard.layers.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchesTest {
  @Property(tries = 100)
  void aPassHasEachExampleOnceAtMost(
      @ForAll @IntRange(min = 1, max = 40) int examples,
      @ForAll @IntRange(min = 1, max = 40) int size,
      @ForAll long seed) {
    int inBatch = Math.min(size, examples);
    Batches<int[]> batches =
        Batches.shuffled(examples, inBatch, new CounterRandom(seed), rows -> rows);
    List<Integer> seen = new ArrayList<>();
    for (int i = 0; i < batches.perPass(); i++) {
      int[] rows = batches.batch(3, i);
      assertThat(rows).hasSize(inBatch);
      assertThat(batches.batch(4, i)).hasSize(inBatch); // another pass in between
      assertThat(batches.batch(3, i)).containsExactly(rows);
      for (int row : rows) {
        seen.add(row);
      }
    }
    assertThat(seen).doesNotHaveDuplicates().allMatch(row -> row >= 0 && row < examples);
    assertThat(examples - seen.size()).isBetween(0, inBatch - 1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void eachPassHasAnOrderOfItsOwn(long seed) {
    Batches<int[]> batches = Batches.shuffled(50, 50, new CounterRandom(seed), rows -> rows);
    assertThat(batches.batch(0, 0)).isNotEqualTo(batches.batch(1, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 6})
  void refusesSizesOutOfRange(int size) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Batches.shuffled(5, size, new CounterRandom(1), rows -> rows))
        .withMessage("a batch has " + size + " of 5 examples (expected 1 to 5)");
  }
}
