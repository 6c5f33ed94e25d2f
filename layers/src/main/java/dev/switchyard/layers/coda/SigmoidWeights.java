package dev.switchyard.layers.coda;

/**
 * {@code weight = 1 / (1 + exp(-score))}: each token for itself, a control for {@link SoftTopK}
 * (Lei et al. 2023 compare both).
 */
public record SigmoidWeights() implements TopKWeights {
  @Override
  public Report weigh(Scores in, float[] weights, float[] scratch) {
    double entropy = 0;
    int saturated = 0;
    for (int i = in.from(); i < in.from() + in.length(); i++) {
      double w = 1 / (1 + Math.exp(-in.values()[i]));
      weights[i] = (float) w;
      entropy -= w == 0 ? 0 : w * Math.log(w);
      saturated += weights[i] == 1 ? 1 : 0;
    }
    // Largest at 1/e each.
    return new Report(0, saturated, entropy * Math.E / Math.max(1, in.length()));
  }

  @Override
  public void gradient(Scores in, float[] weights, float[] g) {
    for (int i = in.from(); i < in.from() + in.length(); i++) {
      g[i] = (float) ((double) g[i] * weights[i] * (1.0 - weights[i]));
    }
  }
}
