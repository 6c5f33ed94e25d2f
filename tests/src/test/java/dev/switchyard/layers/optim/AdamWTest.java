package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdamWTest {
  private static final AdamW.Settings SETTINGS = new AdamW.Settings(0.9f, 0.98f, 1e-6f, 0.2f);
  private static final int N = 37;
  private static final int STEPS = 200;

  private final Kernels kernels =
      Kernels.create(BackendChoice.named("reference"), Parallel.serial());

  private static Parameter parameter(String name, boolean decays) {
    float[] value = new float[N];
    for (int i = 0; i < N; i++) {
      value[i] = CounterRandom.gaussian(1, i);
    }
    return new Parameter(name, FloatMatrix.of(value, 1, N), decays);
  }

  /**
   * With u = 2^-24: each step rounds w twice, 2 u |w|, and moments that are off by up to 1 / (1 -
   * beta2) = 50 roundings move an update of at most about lr by 50 u lr. With |w| below 4 that is
   * 200 (8 u + 0.5 u) in all, 1700 u.
   */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void followsTheFormulaOver200Steps(String backend) {
    Parameter decaying = parameter("w", true);
    Parameter other = parameter("b", false);
    AdamW optimizer =
        new AdamW(
            Kernels.create(BackendChoice.named(backend), Parallel.serial()),
            List.of(decaying, other),
            SETTINGS);
    double[] w = new double[N];
    double[] b = new double[N];
    for (int i = 0; i < N; i++) {
      w[i] = decaying.value().data()[i];
      b[i] = other.value().data()[i];
    }
    double[] m = new double[N];
    double[] v = new double[N];
    Schedule schedule = new Schedule(1e-2f, 1e-4f, 20, STEPS, Schedule.Decay.COSINE);
    for (int step = 0; step < STEPS; step++) {
      double lr = schedule.rate(step);
      for (int i = 0; i < N; i++) {
        double g = CounterRandom.gaussian(step + 2, i) + 0.3f * i / N;
        decaying.grad().data()[i] = (float) g;
        other.grad().data()[i] = (float) g;
        m[i] = SETTINGS.beta1() * m[i] + (1.0 - SETTINGS.beta1()) * (float) g;
        v[i] = SETTINGS.beta2() * v[i] + (1.0 - SETTINGS.beta2()) * (float) g * (float) g;
        double mean = m[i] / (1 - Math.pow(SETTINGS.beta1(), step + 1));
        double square = v[i] / (1 - Math.pow(SETTINGS.beta2(), step + 1));
        double update = lr * mean / (Math.sqrt(square) + SETTINGS.eps());
        w[i] = w[i] * (1 - lr * SETTINGS.decay()) - update;
        b[i] -= update;
      }
      optimizer.step((float) lr);
    }
    for (int i = 0; i < N; i++) {
      assertThat((double) decaying.value().data()[i]).isCloseTo(w[i], within(1700 * 0x1p-24));
      assertThat((double) other.value().data()[i]).isCloseTo(b[i], within(1700 * 0x1p-24));
    }
    assertThat(decaying.version()).isEqualTo(STEPS);
  }

  @Test
  void passesOverFrozenParameters() {
    Parameter p = parameter("w", true);
    Parameter untouched = parameter("w", true);
    AdamW optimizer = new AdamW(kernels, List.of(p), SETTINGS);
    p.grad().data()[0] = 1;
    p.setFrozen(true);
    optimizer.step(0.1f);
    assertThat(p.value().data()).isEqualTo(untouched.value().data());
    assertThat(p.version()).isZero();
    p.setFrozen(false);
    optimizer.step(0.1f);
    // The first step of Adam is the learning rate in size, if the frozen one was not counted.
    float decayed = untouched.value().data()[0] * (1 - 0.1f * SETTINGS.decay());
    assertThat(p.value().data()[0]).isCloseTo(decayed - 0.1f, within(1e-6f));
  }

  @Test
  void aZeroGradientLeavesWhatDoesNotDecay() {
    Parameter p = parameter("b", false);
    AdamW optimizer = new AdamW(kernels, List.of(p), SETTINGS);
    optimizer.step(0.1f);
    assertThat(p.value().data()).isEqualTo(parameter("b", false).value().data());
  }

  @Test
  void countsWhatItSkips() {
    Parameter p = parameter("w", true);
    p.grad().data()[3] = Float.NaN;
    AdamW optimizer =
        AdamW.ofGroups(
            kernels.withNonFinite(NonFinitePolicy.PROPAGATE),
            List.of(new ParameterGroup(List.of(p), 1, 0)),
            SETTINGS);
    optimizer.step(0.1f);
    assertThat(optimizer.skipped()).containsExactly(Map.entry("w", 1L));
    assertThat(p.value().data()).isEqualTo(parameter("w", true).value().data());
  }

  @Test
  void zeroGradClearsAllGradients() {
    Parameter p = parameter("w", true);
    p.grad().data()[3] = 1;
    new AdamW(kernels, List.of(p), SETTINGS).zeroGrad();
    assertThat(p.grad().data()).containsOnly(0);
  }

  @Test
  void refusesWhatMakesNoSense() {
    Parameter p = parameter("w", true);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdamW(kernels, List.of(p, p), SETTINGS))
        .withMessage(
            "parameter w 1x37 is listed twice (expected once: names are unique in a model)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdamW.Settings(1, 0.9f, 1e-8f, 0))
        .withMessage("beta1 is 1.0 (expected 0 or more, less than 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdamW.Settings(0.9f, Float.NaN, 1e-8f, 0))
        .withMessageContaining("beta2 is NaN");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdamW.Settings(0.9f, 0.9f, 0, 0))
        .withMessageContaining("eps is 0.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdamW.Settings(0.9f, 0.9f, 1e-8f, -1))
        .withMessageContaining("decay is -1.0");
    AdamW optimizer = new AdamW(kernels, List.of(p), SETTINGS);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.step(Float.NaN))
        .withMessageContaining("learning rate is NaN");
  }
}
