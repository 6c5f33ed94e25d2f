package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StabilityMonitorTest {
  private static final LossSpikes.Settings SPIKES = new LossSpikes.Settings(3.2, 100, 10, 20);

  private final Kernels kernels =
      Kernels.create(BackendChoice.named("reference"), Parallel.serial());
  private final StringBuilder out = new StringBuilder();
  private final List<String> warnings = new ArrayList<>();
  private final StabilityMonitor monitor =
      new StabilityMonitor(new MeasurementLines(out), warnings::add, SPIKES);

  /** The last value of each quantity, by name and quantity. */
  private Map<String, Double> values() {
    Map<String, Double> values = new LinkedHashMap<>();
    for (String line : out.toString().lines().skip(1).toList()) {
      String[] cells = line.split(",");
      assertThat(cells).hasSize(4);
      values.put(cells[1] + " " + cells[2], Double.valueOf(cells[3]));
    }
    return values;
  }

  private Optimizer watched(boolean stable, Parameter p) {
    Optimizer optimizer =
        stable
            ? new StableAdamW(
                kernels, List.of(p), new StableAdamW.Settings(0.9f, 0.99f, 1e-6f, 0, 1, true))
            : new AdamW(kernels, List.of(p), new AdamW.Settings(0.9f, 0.99f, 1e-6f, 0));
    optimizer.setMonitor(monitor);
    return optimizer;
  }

  /** In the first step the update is the sign of the gradient, whatever the optimizer. */
  @Test
  void theFirstStepIsKnown() {
    for (boolean stable : new boolean[] {true, false}) {
      Parameter p = new Parameter("w", FloatMatrix.of(new float[] {3, 4, 0, 0}, 2, 2), true);
      float[] g = {0.5f, -0.5f, 2, -2};
      System.arraycopy(g, 0, p.grad().data(), 0, 4);
      watched(stable, p).step(0.01f);

      Map<String, Double> values = values();
      assertThat(values.get("w rms")).isCloseTo(1, within(1e-5));
      assertThat(values.get("w updateNorm")).isCloseTo(0.02, within(1e-6));
      assertThat(values.get("w stepRatio")).isCloseTo(0.02 / 5, within(1e-4));
      assertThat(values.get("w bimodality")).isCloseTo(1, within(1e-5));
      assertThat(values.get("w cosineGradient")).isCloseTo(5 / (2 * Math.sqrt(8.5)), within(1e-5));
      assertThat(values.get("w cosineMoment")).matches(c -> c.isNaN() || Math.abs(c) <= 1);
      assertThat(values.get("w underEps")).isZero();
      assertThat(warnings).isEmpty();
    }
  }

  @Test
  void seesWhenTheGradientTurnsAround() {
    for (boolean stable : new boolean[] {true, false}) {
      Parameter p = Parameter.vector("b", 1, 1, 1);
      Optimizer optimizer = watched(stable, p);
      float[] directions = {1, 1, 1, -1};
      for (float direction : directions) {
        p.grad().data()[0] = direction;
        p.grad().data()[1] = 2 * direction;
        optimizer.step(0.01f);
      }
      Map<String, Double> values = values();
      // The update (1, 1) still goes where the moment (1, 2) went, against the gradient (-1, -2).
      assertThat(values.get("b cosineMoment")).isCloseTo(3 / Math.sqrt(10), within(1e-3));
      assertThat(values.get("b cosineGradient")).isCloseTo(-3 / Math.sqrt(10), within(1e-3));
      assertThat(values.get("b underEps")).isCloseTo(1 / 3.0, within(1e-9));
      assertThat(values.get("b rms")).isCloseTo(Math.sqrt(2 / 3.0), within(1e-5));
    }
  }

  /** The moment before the step, with the decay of the optimizer at that step, is (1, 2). */
  @Test
  void theMomentIsThatBeforeTheStep() {
    for (boolean stable : new boolean[] {true, false}) {
      Parameter p = Parameter.vector("b", 1, 1);
      Optimizer optimizer = watched(stable, p);
      float[][] gradients = {{1, 2}, {1, 2}, {-3, 1}};
      double[] m = new double[2];
      double[] v = new double[2];
      for (float[] gradient : gradients) {
        for (int i = 0; i < 2; i++) {
          p.grad().data()[i] = gradient[i];
          m[i] = 0.9 * m[i] + 0.1 * gradient[i];
          v[i] = 0.99 * v[i] + 0.01 * gradient[i] * gradient[i];
        }
        optimizer.step(0.01f);
      }
      double u0 = m[0] / Math.sqrt(v[0]);
      double u1 = m[1] / Math.sqrt(v[1]);
      double expected = (u0 + 2 * u1) / Math.sqrt(5 * (u0 * u0 + u1 * u1));
      assertThat(values().get("b cosineMoment")).isCloseTo(expected, within(1e-5));
    }
  }

  @Test
  void warnsWhenTheSecondMomentFallsBehind() {
    for (boolean stable : new boolean[] {true, false}) {
      warnings.clear();
      Parameter p = Parameter.vector("b", 1, 1);
      Optimizer optimizer = watched(stable, p);
      for (int t = 1; t <= 1000; t++) {
        p.grad().data()[0] = t < 1000 ? 1 : 5;
        p.grad().data()[1] = t < 1000 ? 1 : 5;
        optimizer.step(0);
      }
      double expected = 5 / Math.sqrt(0.99 + 0.01 * 25);
      assertThat(values().get("b rms")).isCloseTo(expected, within(1e-3));
      assertThat(warnings)
          .singleElement()
          .asString()
          .matches("step \\d+: the gradient of b has outrun its second moment: RMS 4.49 .*");
    }
  }

  @Test
  void writesLossesAndFeaturesOfEachStep() {
    Parameter p = Parameter.vector("b", 1);
    Optimizer optimizer = watched(true, p);
    for (int step = 0; step < 2; step++) {
      monitor.loss(2.5 - step);
      monitor.features("block0", FloatMatrix.of(new float[] {1, -2, 3, -6}, 2, 2));
      optimizer.step(0);
    }
    assertThat(out.toString())
        .startsWith(
            "step,name,quantity,value\n0,loss,loss,2.5\n0,block0,featureMagnitude,3.0\n0,b,rms,0.0")
        .contains("\n1,loss,loss,1.5\n1,block0,featureMagnitude,3.0\n1,b,rms,");
  }

  @Test
  void saysWhereItCannotWrite() {
    Appendable full =
        new Appendable() {
          @Override
          public Appendable append(CharSequence text) throws IOException {
            throw new IOException("full");
          }

          @Override
          public Appendable append(CharSequence text, int start, int end) throws IOException {
            throw new IOException("full");
          }

          @Override
          public Appendable append(char c) throws IOException {
            throw new IOException("full");
          }
        };
    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> new MeasurementLines(full))
        .withMessageContaining("full");
  }

  // Losses

  /** Losses 1 and 1.1 in turn (mean 1.05, deviation 0.05), except where a spike is asked for. */
  private static List<Integer> spikes(LossSpikes detector, Map<Integer, Double> special) {
    List<Integer> found = new ArrayList<>();
    for (int step = 0; step < 400; step++) {
      double loss = special.getOrDefault(step, step % 2 == 0 ? 1 : 1.1);
      if (detector.add(loss)) {
        found.add(step);
      }
    }
    return found;
  }

  @Test
  void twoDeviationsWithinAWindowAreASpike() {
    LossSpikes detector = new LossSpikes(SPIKES);
    assertThat(spikes(detector, Map.of(100, 3.0, 109, 3.0))).containsExactly(109);
    assertThat(detector.eventStart()).isEqualTo(100);
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 3.0, 103, 3.0, 105, 3.0)))
        .containsExactly(103);
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, Double.NaN, 101, Double.NaN)))
        .containsExactly(101);
  }

  @Test
  void oneDeviationIsNone() {
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 3.0))).isEmpty();
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 3.0, 110, 3.0))).isEmpty();
    assertThat(spikes(new LossSpikes(SPIKES), Map.of())).isEmpty();
  }

  /** Of numbers there have to be two to deviate from; what is none deviates from the start. */
  @Test
  void theFirstLosses() {
    LossSpikes.Settings atOnce = new LossSpikes.Settings(1, 2, 2, 0);
    assertThat(spikes(new LossSpikes(atOnce), Map.of(0, 1.0, 1, 9.0, 2, 9.0))).doesNotContain(1, 2);
    assertThat(spikes(new LossSpikes(atOnce), Map.of(0, Double.NaN, 1, Double.NaN))).contains(1);
    assertThat(spikes(new LossSpikes(atOnce), Map.of(2, 9.0, 3, 99.0))).contains(3);
    LossSpikes narrow = new LossSpikes(new LossSpikes.Settings(1, 2, 1, 0));
    for (int i = 0; i < 10; i++) {
      assertThat(narrow.add(1)).isFalse(); // what is the mean does not deviate from it
    }
    assertThat(narrow.eventStart()).isNegative();
  }

  /** 1.05 + 3.2 * 0.05 = 1.21. */
  @Test
  void whatDeviatesIsAMatterOfStandardDeviations() {
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 1.2099, 101, 1.2099))).isEmpty();
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 1.2101, 101, 1.25))).containsExactly(101);
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 1.2, 101, 1.2))).isEmpty();
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(100, 1.23, 101, 1.24))).containsExactly(101);
  }

  @Test
  void theStartDoesNotCount() {
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(18, 3.0, 19, 3.0))).isEmpty();
    assertThat(spikes(new LossSpikes(SPIKES), Map.of(20, 3.0, 21, 3.0))).containsExactly(21);
  }

  @Test
  void warnsOfASpikeOfTheLoss() {
    for (int i = 0; i < 102; i++) {
      monitor.loss(i < 100 ? 1 + 0.1 * (i % 2) : 3);
    }
    assertThat(warnings).containsExactly("step 0: the loss spikes, at 3.0 now, since step 100");
  }

  @Test
  void refusesSettingsThatMakeNoSense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LossSpikes.Settings(0, 2, 1, 0))
        .withMessage(
            "deviations is 0.0, history 2, window 1 and ignored 0 (expected more than 0, 2 or more,"
                + " 1 or more, 0 or more)");
    assertThatIllegalArgumentException().isThrownBy(() -> new LossSpikes.Settings(1, 1, 1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new LossSpikes.Settings(1, 2, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new LossSpikes.Settings(1, 2, 1, -1));
  }
}
