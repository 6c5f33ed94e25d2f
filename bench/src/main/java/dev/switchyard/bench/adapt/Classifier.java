package dev.switchyard.bench.adapt;

import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.ConditionalEncoder;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** An adapted encoder with a head that tells classes apart. */
final class Classifier {
  private static final int TEXTS_A_BATCH = 32;

  private final ConditionalEncoder encoder;
  private final SequenceHead head;

  Classifier(BertEncoder base, CodaOptions options, Pooling pooling, int classes, long seed) {
    CounterRandom random = new CounterRandom(seed);
    encoder = new ConditionalEncoder(base, options, random.split(0));
    head = SequenceHead.scores("head", base.shape().features(), classes, pooling, random.split(1));
  }

  ConditionalEncoder encoder() {
    return encoder;
  }

  SequenceHead head() {
    return head;
  }

  /** What is trained. */
  List<Parameter> learned() {
    return Model.concat(encoder.learned(), head.parameters());
  }

  /** How many numbers were added to the encoder, those of the head aside. */
  long newParameters() {
    return encoder.added().stream().mapToLong(p -> (long) p.rows() * p.cols()).sum();
  }

  // batch -> scores [texts, classes]
  Tensor scores(Tape tape, Tokens.Batch batch) {
    return head.forward(
        tape, encoder.forward(tape, batch.ids(), batch.sequences()), batch.sequences());
  }

  /**
   * The scores of all texts, computed in batches of texts of about one length.
   *
   * @param tape for inference, reset after each batch
   * @return [texts, classes]
   */
  FloatMatrix scores(Tape tape, Tokens tokens) {
    int[] order =
        IntStream.range(0, tokens.count())
            .boxed()
            .sorted(Comparator.comparingInt(text -> tokens.ids()[text].length))
            .mapToInt(text -> text)
            .toArray();
    FloatMatrix all = null;
    for (int from = 0; from < order.length; from += TEXTS_A_BATCH) {
      int[] texts = Arrays.copyOfRange(order, from, Math.min(order.length, from + TEXTS_A_BATCH));
      FloatMatrix scores = scores(tape, tokens.batch(texts)).value();
      if (all == null) {
        all = FloatMatrix.allocate(order.length, scores.cols());
      }
      for (int i = 0; i < texts.length; i++) {
        System.arraycopy(
            scores.data(), scores.rowIndex(i), all.data(), all.rowIndex(texts[i]), all.cols());
      }
      tape.reset();
    }
    return all;
  }
}
