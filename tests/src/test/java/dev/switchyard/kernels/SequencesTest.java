package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Sequences;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SequencesTest {
  @Test
  void sequencesFollowOneAnother() {
    Sequences sequences = Sequences.ofLengths(3, 0, 5);

    assertThat(sequences.count()).isEqualTo(3);
    assertThat(sequences.tokens()).isEqualTo(8);
    assertThat(sequences.maxLength()).isEqualTo(5);
    assertThat(new int[] {sequences.start(0), sequences.start(1), sequences.start(2)})
        .containsExactly(0, 3, 3);
    assertThat(new int[] {sequences.length(0), sequences.length(1), sequences.length(2)})
        .containsExactly(3, 0, 5);
    assertThat(sequences).hasToString("3 sequences of 8 tokens");
  }

  @Test
  void equalLengthsAreEqualSequences() {
    assertThat(Sequences.uniform(2, 4))
        .isEqualTo(Sequences.ofLengths(4, 4))
        .hasSameHashCodeAs(Sequences.ofLengths(4, 4))
        .isNotEqualTo(Sequences.ofLengths(8))
        .isNotEqualTo(Sequences.ofLengths(3, 5));
  }

  @Test
  void laterChangesOfTheLengthsDoNotMatter() {
    int[] lengths = {1, 2};
    Sequences sequences = Sequences.ofLengths(lengths);

    lengths[0] = 7;

    assertThat(sequences.length(0)).isEqualTo(1);
  }

  @Test
  void noSequenceAtAll() {
    Sequences none = Sequences.ofLengths();

    assertThat(none).isEqualTo(Sequences.uniform(0, 9));
    assertThat(none.count()).isZero();
    assertThat(none.tokens()).isZero();
    assertThat(none.maxLength()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void refusesSequencesThatAreNotThere(int index) {
    Sequences sequences = Sequences.ofLengths(3, 4);

    assertThatThrownBy(() -> sequences.start(index))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageStartingWith("sequence " + index + " to ");
    assertThatThrownBy(() -> sequences.length(index))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageStartingWith("sequence " + index + " to ");
  }

  @Test
  void refusesImpossibleLengths() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.ofLengths(3, -4))
        .withMessage("sequence 1 has length -4 (expected 0 or more, total an int)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.ofLengths(Integer.MAX_VALUE, 1))
        .withMessage("sequence 1 has length 1 (expected 0 or more, total an int)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.uniform(65536, 65536))
        .withMessage("65536 sequences have length 65536 (expected a total that is an int)");
    assertThatIllegalArgumentException() // not an error of memory
        .isThrownBy(() -> Sequences.uniform(Integer.MAX_VALUE, 3))
        .withMessage("2147483647 sequences have length 3 (expected a total that is an int)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.uniform(-1, 2))
        .withMessage("count is -1 (expected 0 or more)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.uniform(0, -2))
        .withMessage("length is -2 (expected 0 or more)");
    assertThatThrownBy(() -> Sequences.ofLengths((int[]) null))
        .isInstanceOf(NullPointerException.class);
  }

  @Test
  void epilogues() {
    float[] bias = {1};

    assertThat(Epilogue.STORE).isEqualTo(new Epilogue(null, false));
    assertThat(Epilogue.ACCUMULATE).isEqualTo(new Epilogue(null, true));
    assertThat(Epilogue.bias(null)).isSameAs(Epilogue.STORE);
    assertThat(Epilogue.bias(bias).bias()).isSameAs(bias);
    assertThat(Epilogue.bias(bias).accumulate()).isFalse();
  }
}
