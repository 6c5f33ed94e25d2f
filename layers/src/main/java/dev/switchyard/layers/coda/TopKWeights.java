package dev.switchyard.layers.coda;

import dev.switchyard.kernels.Elementwise;

/**
 * How much each token of a sequence weighs, by its score: what makes the choice of the k best
 * differentiable. Weights rise with the score; they have nothing to say in which tokens are chosen.
 *
 * <p>Immutable and thread-safe.
 */
public sealed interface TopKWeights permits SoftTopK, SigmoidWeights {
  /**
   * Weighs the tokens of one sequence.
   *
   * @param in scores and numbers
   * @param weights receives the weights, from 0 to 1, at the places of the scores
   * @param scratch overwritten at the places of the scores
   * @return what there is to say of them
   */
  Report weigh(Scores in, float[] weights, float[] scratch);

  /**
   * The gradient of the scores: {@code gs = sum over i of g_i dweight_i / ds}.
   *
   * @param in as it was weighed
   * @param weights as they came out
   * @param g gradients of the weights, at the places of the scores; replaced by those of the scores
   */
  void gradient(Scores in, float[] weights, float[] g);

  /**
   * The scores of one sequence.
   *
   * @param values finite numbers
   * @param sorted the same at the same places, but in rising order
   * @param from where the sequence begins among them
   * @param length how many
   * @param k how many tokens are chosen
   * @param eps temperature of {@link SoftTopK}
   * @param training whether weights are for training, where {@link SoftTopK} lets near misses weigh
   *     more
   * @param elementwise computes exponentials on this thread
   */
  record Scores(
      float[] values,
      float[] sorted,
      int from,
      int length,
      int k,
      double eps,
      boolean training,
      Elementwise elementwise) {}

  /**
   * What is known of the weights of a sequence.
   *
   * @param residual their sum over what it should be, minus 1
   * @param saturated how many are 1
   * @param entropy {@code -sum of w ln w} over the largest it can be, 0 if that is 0
   */
  record Report(double residual, int saturated, double entropy) {}
}
