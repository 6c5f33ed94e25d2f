package dev.switchyard.layers.loss;

import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Tape;
import java.util.function.Supplier;

/** What losses do about results that are not finite. */
final class NonFinite {
  private NonFinite() {}

  /** Whether float32 has a number for it. */
  static boolean isFinite(double value) {
    return Float.isFinite((float) value);
  }

  /** Refuses a loss that is not finite, with a sentence, if the policy says so. */
  static void check(Tape tape, double loss, Supplier<String> sentence) {
    if (!isFinite(loss) && tape.kernels().nonFinite() == NonFinitePolicy.REJECT) {
      throw new NonFiniteException(sentence.get());
    }
  }
}
