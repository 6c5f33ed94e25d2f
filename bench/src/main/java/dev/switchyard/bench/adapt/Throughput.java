package dev.switchyard.bench.adapt;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Conversion;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.PrecisionPolicy;
import dev.switchyard.layers.Precisions;
import dev.switchyard.layers.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Texts a second that classifiers read, in turns so that what slows the machine down slows down all
 * of them.
 */
final class Throughput {
  private static final int TEXTS = 64;
  private static final int ROUNDS = 9;

  /** In which weights are packed, and code is compiled for the other precision. */
  private static final int WARM_UP = 3;

  /** Rounds of {@link #measure}, warm-up included. */
  static final int PASSES = WARM_UP + ROUNDS;

  private final Tape tape;
  private final Tokens texts;

  Throughput(Kernels kernels, Tokens tests) {
    this.tape = Tape.inference(kernels);
    this.texts = new Tokens(Arrays.copyOf(tests.ids(), Math.min(TEXTS, tests.count())));
  }

  /**
   * Measures in a precision of all linear layers.
   *
   * @param afterRound whether to leave; no number counts then
   * @return texts a second of each classifier in each round
   */
  List<double[]> measure(
      List<Classifier> classifiers, Precision precision, BooleanSupplier afterRound) {
    List<Conversion> conversions = new ArrayList<>();
    for (Classifier classifier : classifiers) {
      conversions.add(Precisions.convert(classifier.encoder(), PrecisionPolicy.to(precision)));
    }
    double[][] rates = new double[classifiers.size()][ROUNDS];
    boolean leave = false;
    for (int round = -WARM_UP; round < ROUNDS && !leave; round++) {
      for (int i = 0; i < classifiers.size(); i++) {
        long start = System.nanoTime();
        classifiers.get(i).scores(tape, texts);
        if (round >= 0) {
          rates[i][round] = texts.count() / ((System.nanoTime() - start) / 1e9);
        }
      }
      leave = afterRound.getAsBoolean();
    }
    for (int i = conversions.size() - 1; i >= 0; i--) {
      conversions.get(i).undo();
    }
    return List.of(rates);
  }
}
