package org.example;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.testkit.GradientCheck;
import dev.switchyard.testkit.MatrixAssertions;
import org.junit.jupiter.api.Test;

class MoonsTest {
  private final Kernels kernels = Kernels.create(Parallel.serial());

  @Test
  void learnsInInt8() {
    Moons moons = new Moons(Precision.SWITCHBACK);
    moons.train(kernels, 200);
    assertTrue(moons.accuracy(kernels) > 0.97);
  }

  @Test
  void int8ScoresAreCloseToFloatScores() {
    FloatMatrix points = Moons.points(64, 7);
    MatrixAssertions.assertSnr(
        30, scores(Precision.FLOAT32, points), scores(Precision.SWITCHBACK, points));
  }

  private FloatMatrix scores(Precision precision, FloatMatrix points) {
    return new Moons(precision).forward(Tape.none(kernels), Tensor.of(points)).value();
  }

  @Test
  void gradientsAreRight() {
    GradientCheck.check(kernels, new Moons(Precision.FLOAT32), Moons.points(9, 3));
  }
}
