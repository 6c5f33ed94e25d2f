package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.layers.io.TrainingState;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SgdTest {
  private static final int N = 37;

  private final Kernels kernels = Fixtures.kernels("vector", 2);

  private static List<Parameter> parameters() {
    return List.of(
        new Parameter("w", Fixtures.gaussian(1, N, 1), true),
        Parameter.vector("b", Fixtures.gaussian(1, N, 2).data()));
  }

  private static void gradients(List<Parameter> parameters, int step) {
    for (Parameter p : parameters) {
      Fixtures.gaussian(1, N, 10 + step).copyTo(p.grad());
    }
  }

  /** Each step rounds w three times and m twice, of which up to 1 / (1 - momentum) are added up. */
  @ParameterizedTest
  @CsvSource({"reference, 0, 0", "vector, 0.9, 0.1", "vector, 0.5, 0", "x86, 0.9, 0.1"})
  void followsTheFormula(String backend, float momentum, float decay) {
    List<Parameter> all = parameters();
    Sgd sgd = new Sgd(Fixtures.kernels(backend, 2), all, new Sgd.Settings(momentum, decay));
    double[][] w = new double[2][N];
    double[][] m = new double[2][N];
    for (int k = 0; k < 2; k++) {
      for (int i = 0; i < N; i++) {
        w[k][i] = all.get(k).value().data()[i];
      }
    }
    for (int step = 0; step < 50; step++) {
      gradients(all, step);
      float rate = 0.01f * (step + 1);
      sgd.step(rate);
      for (int k = 0; k < 2; k++) {
        for (int i = 0; i < N; i++) {
          m[k][i] = momentum * m[k][i] + all.get(k).grad().data()[i];
          w[k][i] = w[k][i] * (1 - (k == 0 ? rate * decay : 0)) - rate * m[k][i];
        }
      }
    }
    for (int k = 0; k < 2; k++) {
      for (int i = 0; i < N; i++) {
        assertThat((double) all.get(k).value().data()[i]).isCloseTo(w[k][i], within(2e-4));
      }
    }
  }

  @Test
  void goesOnFromACheckpoint() {
    List<Parameter> whole = parameters();
    Sgd throughout = new Sgd(kernels, whole, Sgd.Settings.DEFAULT);
    List<Parameter> first = parameters();
    Sgd begun = new Sgd(kernels, first, Sgd.Settings.DEFAULT);
    List<Parameter> second = parameters();
    Sgd resumed = new Sgd(kernels, second, Sgd.Settings.DEFAULT);
    for (int step = 0; step < 6; step++) {
      gradients(whole, step);
      throughout.step(0.1f);
      if (step == 3) {
        TrainingState.restore(
            TrainingState.save(first, begun, new Progress(3, 1, 0, 0), Map.of(), Map.of()),
            second,
            resumed);
      }
      gradients(step < 3 ? first : second, step);
      (step < 3 ? begun : resumed).step(0.1f);
    }
    for (int k = 0; k < 2; k++) {
      assertThat(second.get(k).value().data()).isEqualTo(whole.get(k).value().data());
    }
    assertThat(resumed.state()).allSatisfy(s -> assertThat(s.v()).hasSize(N).containsOnly(0));
    assertThat(resumed.state()).extracting(MomentState::step).containsExactly(6, 6);
  }

  @Test
  void leavesWhatIsFrozenOrNotFinite() {
    List<Parameter> all = parameters();
    Sgd sgd = new Sgd(kernels.withNonFinite(NonFinitePolicy.PROPAGATE), all, Sgd.Settings.DEFAULT);
    FloatMatrix before = all.get(0).value().copy();
    gradients(all, 1);
    all.get(0).grad().set(0, 3, Float.NaN);
    sgd.step(0.1f);
    assertThat(all.get(0).value().data()).isEqualTo(before.data());
    assertThat(sgd.skipped()).containsExactly(Map.entry("w", 1L));
    all.get(1).setFrozen(true);
    FloatMatrix frozen = all.get(1).value().copy();
    sgd.step(0.1f);
    assertThat(all.get(1).value().data()).isEqualTo(frozen.data());
  }

  @Test
  void refusesSettingsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Sgd.Settings(1, 0))
        .withMessage("momentum is 1.0 (expected 0 or more, less than 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Sgd.Settings(0.9f, Float.NaN))
        .withMessage("decay is NaN (expected 0 or more)");
  }
}
