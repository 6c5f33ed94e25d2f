package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.RandomStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RandomStreamTest {
  @Test
  void noTwoAreTheSameAndTheyRepeatFromTheSeed() {
    RandomStream stream = new RandomStream(7);
    CounterRandom[] first = Stream.generate(stream::next).limit(1000).toArray(CounterRandom[]::new);
    RandomStream again = new RandomStream(7);
    assertThat(first)
        .doesNotHaveDuplicates()
        .doesNotContain(new CounterRandom(7))
        .allMatch(random -> random.equals(again.next()));
    assertThat(new RandomStream(8).next()).isNotEqualTo(first[0]);
  }

  /** So that a model that numbered its splits by hand may change to a stream and keep its bits. */
  @Test
  void theyAreTheSplitsInTheirOrder() {
    RandomStream stream = new RandomStream(7);
    for (int i = 0; i < 5; i++) {
      assertThat(stream.next()).isEqualTo(new CounterRandom(7).split(i));
    }
  }
}
