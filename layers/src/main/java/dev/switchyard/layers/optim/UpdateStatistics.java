package dev.switchyard.layers.optim;

/**
 * What {@link StabilityMonitor} says of one update u = (m / correction1) / (sqrt(v / correction2) +
 * eps), in double precision.
 */
record UpdateStatistics(
    double rms,
    double updateNorm,
    double weightNorm,
    double bimodality,
    double cosineGradient,
    double cosineMoment,
    double underEps) {
  static UpdateStatistics of(
      float[] w,
      float[] g,
      float[] m,
      float[] v,
      double keep1,
      double correction1,
      double correction2,
      double eps) {
    int n = w.length;
    double ratios = 0;
    double ww = 0;
    double gg = 0;
    double pp = 0; // p is a multiple of the first moment before the step
    double uu = 0;
    double ug = 0;
    double up = 0;
    double sum = 0;
    int under = 0;
    for (int i = 0; i < n; i++) {
      double square = v[i] / correction2;
      double root = Math.sqrt(square);
      double u = m[i] / correction1 / (root + eps);
      double p = m[i] - (1 - keep1) * g[i];
      ratios += (double) g[i] * g[i] / Math.max(square, eps * eps);
      ww += (double) w[i] * w[i];
      gg += (double) g[i] * g[i];
      pp += p * p;
      uu += u * u;
      ug += u * g[i];
      up += u * p;
      sum += u;
      under += root < eps ? 1 : 0;
    }
    double mean = sum / n;
    double second = 0;
    double third = 0;
    double fourth = 0;
    for (int i = 0; i < n; i++) {
      double d = m[i] / correction1 / (Math.sqrt(v[i] / correction2) + eps) - mean;
      second += d * d / n;
      third += d * d * d / n;
      fourth += d * d * d * d / n;
    }
    double squaredSkewness = third * third / (second * second * second);
    double kurtosis = fourth / (second * second);
    return new UpdateStatistics(
        Math.sqrt(ratios / n),
        Math.sqrt(uu),
        Math.sqrt(ww),
        (squaredSkewness + 1) / kurtosis,
        ug / Math.sqrt(uu * gg),
        up / Math.sqrt(uu * pp),
        (double) under / n);
  }
}
