package dev.switchyard.bench.train;

import java.util.List;

/** Losses prepared for drawing. */
public final class LossCurve {
  /** A moving mean spans this part of the steps: enough to lose the noise of single batches. */
  private static final int SMOOTHING = 40;

  /** A point every two pixels of the plot; more make the file larger but not the picture finer. */
  private static final int MOST_POINTS = 440;

  private LossCurve() {}

  /**
   * The losses up to the first that is not finite: a training that diverged has no more curve. A
   * single point, which draws no line, if that is the first of all: a chart refuses a curve of
   * none.
   */
  public static double[] finitePart(List<Double> losses) {
    double[] finite =
        losses.stream().mapToDouble(Double::doubleValue).takeWhile(Double::isFinite).toArray();
    return finite.length == 0 ? new double[] {0} : finite;
  }

  /**
   * The mean around each value. At the start, where losses fall fast, the span shrinks on both
   * sides, so that the curve begins where the losses do; at the end it is cut off.
   */
  public static double[] smooth(double[] values) {
    double[] sums = new double[values.length + 1];
    for (int i = 0; i < values.length; i++) {
      sums[i + 1] = sums[i] + values[i];
    }
    int reach = values.length / SMOOTHING / 2;
    double[] means = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      int span = Math.min(reach, i);
      int from = i - span;
      int to = Math.min(i + span + 1, values.length);
      means[i] = (sums[to] - sums[from]) / (to - from);
    }
    return means;
  }

  /** The steps to draw, from 0: all of them or evenly chosen ones, the last always. */
  static int[] steps(int count) {
    int stride = Math.max(1, Math.ceilDiv(count, MOST_POINTS));
    int points = Math.ceilDiv(count, stride);
    int[] steps = new int[points];
    for (int i = 0; i < points; i++) {
      steps[i] = count - 1 - (points - 1 - i) * stride;
    }
    return steps;
  }
}
