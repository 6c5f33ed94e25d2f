package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;

/**
 * The entropy-regularised choice of k among n (Lei et al. 2023, section 3.2; Ainslie et al. 2023):
 *
 * <pre>{@code
 * maximise  sum of s_i w_i - eps sum of w_i ln w_i
 * where     sum of w_i = k',  0 <= w_i <= 1
 * }</pre>
 *
 * Its solution is {@code w_i = min(1, exp((s_i + a) / eps))} with the one a that makes the sum k'.
 * While training k' is {@code relaxation k}, so that tokens that just missed are heard too.
 *
 * <p>The gradient is that of the solution, by implicit differentiation: with U the tokens below 1,
 *
 * <pre>
 *   c = sum over U of g_i w_i / sum over U of w_i
 *   ds_i = w_i (g_i - c) / eps for i in U, 0 elsewhere
 * </pre>
 *
 * @param solver how the solution is found
 * @param schedule of eps
 * @param relaxation k' over k while training, from 1; the papers take 9/8
 */
public record SoftTopK(Solver solver, EpsSchedule schedule, double relaxation)
    implements TopKWeights {
  /** k' over k in the papers. */
  private static final double RELAXATION = 9 / 8.0;

  /**
   * Checks the relaxation.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public SoftTopK {
    if (!(relaxation >= 1 && relaxation < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("relaxation is " + relaxation + " (expected 1 or more)");
    }
  }

  /**
   * The exact solution, with the papers' relaxation.
   *
   * @param eps the temperature, constant and positive
   * @return the weights
   */
  public static SoftTopK exact(double eps) {
    return new SoftTopK(new Exact(), EpsSchedule.constant(eps), RELAXATION);
  }

  /** Finds the weights of a sequence whose k' is more than 0 and less than its length. */
  public sealed interface Solver permits Exact, CoordinateDescent {
    /**
     * Solves the problem.
     *
     * @param in scores and numbers
     * @param k their sum, k'
     * @param weights receives the weights
     * @param scratch overwritten
     */
    void solve(Scores in, double k, float[] weights, float[] scratch);
  }

  /**
   * The solution in closed form, in O(n log n). Of the scores in falling order the m largest have
   * the weight 1, m the first for which the others, with the rest of k', stay at or below it:
   *
   * <pre>{@code
   * k' - m <= sum over j > m of exp((s_j - s_(m+1)) / eps)
   * }</pre>
   *
   * <p>Exponentials are taken relative to the score r in the place k' from above. A score s with s
   * - r over 40 eps has the weight 1: of the sum of s, only those between r and s count, which are
   * fewer than k' - m, so that none overflows whatever the scores are.
   */
  public record Exact() implements Solver {
    private static final float BEYOND = 40;

    @Override
    public void solve(Scores in, double k, float[] weights, float[] scratch) {
      int from = in.from();
      int n = in.length();
      float[] sorted = in.sorted();
      float reference = sorted[from + n - (int) Math.ceil(k)];
      float limit = (float) (BEYOND * in.eps());
      for (int i = from; i < from + n; i++) {
        scratch[i] = Math.min(sorted[i] - reference, limit);
      }
      exp(in, scratch, 0);
      double sum = 0;
      double share = 1;
      float relativeTo = reference;
      for (int j = 1; j <= n && sorted[from + j - 1] - reference < limit; j++) {
        float e = scratch[from + j - 1];
        sum += e;
        double left = k - (n - j);
        if (left > 0 && sum >= left * e) {
          relativeTo = sorted[from + j - 1];
          share = left * e / sum;
        }
      }
      for (int i = from; i < from + n; i++) {
        weights[i] = Math.min(in.values()[i] - relativeTo, 0);
      }
      exp(in, weights, (float) Math.log(share));
      for (int i = from; i < from + n; i++) {
        weights[i] = in.values()[i] > relativeTo ? 1 : Math.min(1, weights[i]);
      }
    }

    /** {@code x = exp(x / eps + shift)}. */
    private static void exp(Scores in, float[] x, float shift) {
      FloatMatrix row = new FloatMatrix(x, in.from(), 1, in.length(), in.length());
      float[] normalizers = {0, -shift};
      in.elementwise().softmaxFromNormalizers(row, (float) (1 / in.eps()), normalizers, 0);
    }
  }

  /**
   * What the papers do: dual coordinate descent, each turn with a smaller eps until that of the
   * problem is reached (Schmitzer 2019). It has not always arrived after its turns: if scores are
   * far apart compared to eps, the sum misses k' by tens of percent, as {@link RouterStatistics}
   * tell. For comparison; {@link Exact} is exact and faster.
   *
   * @param turns how many; 20 in CoDA, 50 in CoLT5
   * @param firstEps eps of the first turn; 4 in CoDA
   * @param decay of eps from turn to turn; 0.7 in CoDA
   */
  public record CoordinateDescent(int turns, double firstEps, double decay) implements Solver {
    /** As in CoDA: 20 turns from eps 4 on, each with 0.7 of it. */
    public CoordinateDescent() {
      this(20, 4, 0.7);
    }

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public CoordinateDescent {
      if (turns < 1) {
        throw new IllegalArgumentException("turns are " + turns + " (expected 1 or more)");
      }
      EpsSchedule.requirePositive("firstEps", firstEps);
      if (!(decay > 0 && decay <= 1)) {
        throw new IllegalArgumentException("decay is " + decay + " (expected more than 0, to 1)");
      }
    }

    @Override
    public void solve(Scores in, double k, float[] weights, float[] scratch) {
      double a = 0;
      double turnEps = Math.max(firstEps, in.eps());
      for (int turn = 0; turn < turns; turn++) {
        // b_i = min(-s_i - a, 0): what lets no weight above 1; none in the first turn.
        a = turnEps * (Math.log(k) - logSumExp(in, a, turn > 0, turnEps));
        turnEps = Math.max(decay * turnEps, in.eps());
      }
      for (int i = in.from(); i < in.from() + in.length(); i++) {
        double above = in.values()[i] + a;
        weights[i] = above >= 0 ? 1 : (float) Math.exp(above / in.eps());
      }
    }

    /** ln of the sum of exp((s_i + b_i) / eps). */
    private static double logSumExp(Scores in, double a, boolean bounded, double eps) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int i = in.from(); i < in.from() + in.length(); i++) {
        largest = Math.max(largest, bounded(in.values()[i], a, bounded));
      }
      double sum = 0;
      for (int i = in.from(); i < in.from() + in.length(); i++) {
        sum += Math.exp((bounded(in.values()[i], a, bounded) - largest) / eps);
      }
      return largest / eps + Math.log(sum);
    }

    private static double bounded(double s, double a, boolean bounded) {
      return bounded ? Math.min(s, -a) : s;
    }
  }

  @Override
  public Report weigh(Scores in, float[] weights, float[] scratch) {
    int n = in.length();
    double k = Math.min(n, in.training() ? relaxation * in.k() : in.k());
    if (k <= 0 || k >= n) {
      Arrays.fill(weights, in.from(), in.from() + n, k > 0 ? 1 : 0);
      return new Report(0, k > 0 ? n : 0, 0);
    }
    solver.solve(in, k, weights, scratch);
    return report(in, k, weights);
  }

  /**
   * The entropy is {@code -sum of w ln w} over those below 1, whose logarithms differ as their
   * scores do, by {@code s / eps}: that of the largest of them gives all.
   */
  private static Report report(Scores in, double k, float[] weights) {
    double mass = 0;
    double moment = 0;
    int saturated = 0;
    int largest = -1;
    for (int i = in.from(); i < in.from() + in.length(); i++) {
      double w = weights[i];
      if (w == 1) {
        saturated++;
      } else {
        mass += w;
        moment += w * in.values()[i];
        largest = largest < 0 || w > weights[largest] ? i : largest;
      }
    }
    double entropy = 0;
    if (mass > 0) {
      double mean = (moment / mass - in.values()[largest]) / in.eps();
      entropy = -mass * (Math.log(weights[largest]) + mean);
    }
    double largestEntropy = k * Math.log(in.length() / k); // where all are equal
    return new Report((saturated + mass) / k - 1, saturated, entropy / largestEntropy);
  }

  @Override
  public void gradient(Scores in, float[] weights, float[] g) {
    double mass = 0;
    double moment = 0;
    for (int i = in.from(); i < in.from() + in.length(); i++) {
      if (weights[i] < 1) {
        mass += weights[i];
        moment += (double) g[i] * weights[i];
      }
    }
    double c = mass > 0 ? moment / mass : 0;
    for (int i = in.from(); i < in.from() + in.length(); i++) {
      g[i] = weights[i] < 1 ? (float) (weights[i] * (g[i] - c) / in.eps()) : 0;
    }
  }
}
