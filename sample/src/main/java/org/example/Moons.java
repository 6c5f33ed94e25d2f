package org.example;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.RandomStream;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.List;

/** Tells two moons apart: points on two half circles that reach into each other. */
public final class Moons implements Layer {
  private static final int BATCH = 128;

  private final Linear in;
  private final Gelu gelu = new Gelu();
  private final Linear hidden;
  private final Linear out;

  /** A network of random weights, whose middle, which does the work, is of this precision. */
  public Moons(Precision precision) {
    RandomStream random = new RandomStream(1);
    in = new Linear("in", 2, 64, Precision.FLOAT32, random.next());
    hidden = new Linear("hidden", 64, 64, precision, random.next());
    out = new Linear("out", 64, 2, Precision.FLOAT32, random.next());
  }

  /** Scores of both moons [points, 2] for points [points, 2]. */
  @Override
  public Tensor forward(Tape tape, Tensor points) {
    Tensor x = gelu.forward(tape, in.forward(tape, points));
    return out.forward(tape, gelu.forward(tape, hidden.forward(tape, x)));
  }

  /** Learns from random points. */
  public void train(Kernels kernels, int steps) {
    StableAdamW optimizer = new StableAdamW(kernels, parameters(), StableAdamW.Settings.DEFAULT);
    Tape tape = Tape.recording(kernels);
    for (int step = 0; step < steps; step++) {
      Tensor scores = forward(tape, Tensor.of(points(BATCH, step)));
      tape.backward(new CrossEntropy().forward(tape, scores, labels(BATCH)));
      optimizer.step(1e-2f);
      optimizer.zeroGrad();
      tape.reset();
    }
  }

  /** The share of random points that are told right. */
  public double accuracy(Kernels kernels) {
    FloatMatrix scores = forward(Tape.none(kernels), Tensor.of(points(BATCH, -1))).value();
    int right = 0;
    for (int i = 0; i < BATCH; i++) {
      right += (scores.get(i, 1) > scores.get(i, 0) ? 1 : 0) == i % 2 ? 1 : 0;
    }
    return (double) right / BATCH;
  }

  /** Every other point is of the second moon. */
  static FloatMatrix points(int count, long seed) {
    CounterRandom random = new CounterRandom(seed);
    long angle = random.key(0);
    long noise = random.key(1);
    FloatMatrix points = FloatMatrix.allocate(count, 2);
    for (int i = 0; i < count; i++) {
      double a = Math.PI * CounterRandom.uniform(angle, i);
      int moon = i % 2;
      double x = moon == 0 ? Math.cos(a) : 1 - Math.cos(a);
      double y = moon == 0 ? Math.sin(a) : 0.5 - Math.sin(a);
      points.set(i, 0, (float) x + 0.1f * CounterRandom.gaussian(noise, 2 * i));
      points.set(i, 1, (float) y + 0.1f * CounterRandom.gaussian(noise, 2 * i + 1));
    }
    return points;
  }

  private static int[] labels(int count) {
    int[] labels = new int[count];
    for (int i = 1; i < count; i += 2) {
      labels[i] = 1;
    }
    return labels;
  }

  @Override
  public List<Linear> parts() {
    return List.of(in, hidden, out);
  }

  /** Trains, and prints how often it is right. */
  public static void main(String[] arguments) {
    Kernels kernels = Kernels.create(Parallel.ofThreads(2));
    Moons moons = new Moons(Precision.SWITCHBACK);
    moons.train(kernels, 200);
    IO.println(kernels.backend().name() + ": " + moons.accuracy(kernels));
  }
}
