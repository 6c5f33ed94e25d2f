package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Scores each token and chooses the best of each sequence (Lei et al. 2023, section 3.2):
 *
 * <pre>
 *   s_i = u . x_i      w = weights(s)      chosen: the k = ceil(n / r) largest s
 *   gate_j = w_j, or 1 with the gradient of w_j (see {@link Gate})
 * </pre>
 *
 * Tokens of one score are chosen in their order. The choice goes by the score and not by the
 * weight, since more than k weights may be 1 in floating point. A bias would change nothing: soft
 * top-k does not see a number that is added to all scores.
 *
 * <p>For use by one thread at a time.
 */
public final class LearnedRouter implements Router {
  private final Linear scores;
  private final Capacity capacity;
  private final TopKWeights weights;
  private final Gate gate;
  private final RouterStatistics statistics = new RouterStatistics();
  private long step;

  /**
   * A router with a random direction u: normal numbers whose squares sum to about 1.
   *
   * @param name prefix of the parameter's name
   * @param features columns of its input
   * @param reduction r, tokens for each chosen one, from 1
   * @param weights how tokens weigh
   * @param gate how weights act
   * @param random where u comes from: a {@linkplain CounterRandom#split split} for it alone, as the
   *     same generator gives two layers the same numbers
   * @throws IllegalArgumentException if the reduction or the number of features is less than 1
   */
  public LearnedRouter(
      String name,
      int features,
      double reduction,
      TopKWeights weights,
      Gate gate,
      CounterRandom random) {
    this(
        Linear.of(direction(name + ".weight", features, random)).build(),
        new Capacity(reduction),
        weights,
        gate);
  }

  private LearnedRouter(Linear scores, Capacity capacity, TopKWeights weights, Gate gate) {
    this.scores = scores;
    this.capacity = capacity;
    this.weights = weights;
    this.gate = gate;
  }

  private static Parameter direction(String name, int features, CounterRandom random) {
    if (features < 1) {
      throw new IllegalArgumentException("features is " + features + " (expected 1 or more)");
    }
    float[] u = new float[features];
    long key = random.key(0);
    for (int j = 0; j < features; j++) {
      u[j] = (float) (CounterRandom.gaussian(key, j) / Math.sqrt(features));
    }
    return Parameter.vector(name, u);
  }

  // x [tokens, features] -> s [tokens, 1] -> gates [chosen, 1]
  @Override
  public Routing route(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    Tensor s = scores.forward(tape, x);
    Choice choice = new Choice(tape, s, sequences);
    tape.timed(Part.ROUTE, choice::make);
    if (!tape.isRepeating()) {
      count(choice);
    }
    Tensor gates =
        tape.node(choice.gates)
            .from(s)
            .keeps(choice.w, s.value())
            .backward((gy, kept) -> choice.backward(gy));
    return new Routing(choice.selection, Optional.of(gates));
  }

  /** One batch on its way through the router. */
  private final class Choice {
    private final Tape tape;
    private final Tensor s;
    private final Sequences sequences;
    private final Selection selection;
    private final FloatMatrix w;
    private final FloatMatrix gates;
    private final double eps = epsNow();

    private final TopKWeights.Report[] reports; // of each sequence with finite scores
    private final double[] spreads; // of its scores, over eps

    Choice(Tape tape, Tensor s, Sequences sequences) {
      this.tape = tape;
      this.s = s;
      this.sequences = sequences;
      Sequences chosen = capacity.of(sequences);
      this.selection = new Selection(sequences, chosen, tape.indices(chosen.tokens()));
      this.w = tape.result(sequences.tokens(), 1);
      this.gates = tape.result(chosen.tokens(), 1);
      this.reports = new TopKWeights.Report[sequences.count()];
      this.spreads = new double[sequences.count()];
    }

    void make() {
      FloatMatrix sorted = tape.take(sequences.tokens(), 1);
      FloatMatrix scratch = tape.take(sequences.tokens(), 1);
      tape.kernels()
          .parallel()
          .forEach(sequences.count(), i -> make(i, sorted.data(), scratch.data()));
      tape.giveBack(sorted);
      tape.giveBack(scratch);
    }

    private TopKWeights.Scores scores(int sequence, float[] sorted) {
      return new TopKWeights.Scores(
          s.value().data(),
          sorted,
          sequences.start(sequence),
          sequences.length(sequence),
          selection.chosen().length(sequence),
          eps,
          tape.isRecording(),
          tape.kernels().serial().elementwise());
    }

    private void make(int sequence, float[] sorted, float[] scratch) {
      TopKWeights.Scores in = scores(sequence, sorted);
      if (!isFinite(in)) {
        propagate(in, selection.chosen().start(sequence));
        return;
      }
      int end = in.from() + in.length();
      System.arraycopy(in.values(), in.from(), sorted, in.from(), in.length());
      Arrays.sort(sorted, in.from(), end);
      reports[sequence] = weights.weigh(in, w.data(), scratch);
      spreads[sequence] = spread(in) / eps;
      if (in.k() > 0) {
        choose(in, sorted[end - in.k()], selection.chosen().start(sequence));
      }
    }

    private boolean isFinite(TopKWeights.Scores in) {
      for (int i = in.from(); i < in.from() + in.length(); i++) {
        if (!Float.isFinite(in.values()[i])) {
          if (tape.kernels().nonFinite() == NonFinitePolicy.PROPAGATE) {
            return false;
          }
          throw new NonFiniteException(
              String.format(
                  Locale.ROOT,
                  "the score of token %d is %s in the router %s (expected finite numbers)",
                  i,
                  in.values()[i],
                  LearnedRouter.this.scores.name()));
        }
      }
      return true;
    }

    /** Chooses the first tokens of a sequence whose scores have no order, with gates of NaN. */
    private void propagate(TopKWeights.Scores in, int to) {
      Arrays.fill(w.data(), in.from(), in.from() + in.length(), Float.NaN);
      Arrays.fill(gates.data(), to, to + in.k(), Float.NaN);
      for (int j = 0; j < in.k(); j++) {
        selection.rows()[to + j] = in.from() + j;
      }
    }

    /** The standard deviation of the scores. */
    private double spread(TopKWeights.Scores in) {
      double sum = 0;
      double squares = 0;
      for (int i = in.from(); i < in.from() + in.length(); i++) {
        double score = in.values()[i];
        sum += score;
        squares += score * score;
      }
      double mean = sum / Math.max(1, in.length());
      return Math.sqrt(Math.max(0, squares / Math.max(1, in.length()) - mean * mean));
    }

    /** The k largest scores, of those equal to the least the first, in the order of the tokens. */
    private void choose(TopKWeights.Scores in, float least, int to) {
      int end = in.from() + in.length();
      int ties = in.k();
      for (int i = end - 1; i >= in.from() && in.sorted()[i] > least; i--) {
        ties--;
      }
      int at = to;
      for (int i = in.from(); i < end; i++) {
        float score = in.values()[i];
        if (score > least || (score == least && ties-- > 0)) {
          selection.rows()[at] = i;
          gates.data()[at] = gate == Gate.SCALE ? w.data()[i] : 1;
          at++;
        }
      }
    }

    // g [chosen, 1] -> gs [tokens, 1]
    void backward(FloatMatrix g) {
      if (!s.wantsGrad()) {
        return;
      }
      FloatMatrix gs = tape.take(sequences.tokens(), 1);
      tape.timed(
          Part.ROUTE,
          () -> {
            Arrays.fill(gs.data(), 0, sequences.tokens(), 0);
            for (int j = 0; j < g.rows(); j++) {
              gs.data()[selection.row(j)] = g.get(j, 0);
            }
            tape.kernels().parallel().forEach(sequences.count(), i -> gradient(i, gs.data()));
          });
      tape.addGrad(s, gs);
    }

    private void gradient(int sequence, float[] gs) {
      TopKWeights.Scores in = scores(sequence, null);
      if (reports[sequence] == null) { // its scores were not finite
        Arrays.fill(gs, in.from(), in.from() + in.length(), Float.NaN);
      } else {
        weights.gradient(in, w.data(), gs);
      }
    }
  }

  private void count(Choice choice) {
    for (int i = 0; i < choice.sequences.count(); i++) {
      statistics.countSequence(choice.selection, i);
      int length = choice.sequences.length(i);
      if (choice.reports[i] != null && choice.selection.chosen().length(i) < length) {
        statistics.countWeights(length, choice.reports[i], choice.spreads[i]);
      }
    }
  }

  private double epsNow() {
    return weights instanceof SoftTopK soft ? soft.schedule().at(step) : 1;
  }

  @Override
  public void startStep(long newStep) {
    step = newStep;
  }

  @Override
  public LearnedRouter withReduction(double reduction) {
    LearnedRouter router = new LearnedRouter(scores, new Capacity(reduction), weights, gate);
    router.step = step;
    return router;
  }

  @Override
  public RouterStatistics statistics() {
    return statistics;
  }

  @Override
  public List<Parameter> parameters() {
    return scores.parameters();
  }

  /** None to convert: one column of output is no work. */
  @Override
  public List<Linear> linears() {
    return List.of();
  }
}
