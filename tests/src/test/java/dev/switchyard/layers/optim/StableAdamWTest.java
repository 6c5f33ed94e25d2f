package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.StableAdamW.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.dfp.Dfp;
import org.apache.commons.math3.dfp.DfpField;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StableAdamWTest {
  private static final Settings SETTINGS = new Settings(0.9f, 0.99f, 1e-6f, 0.2f, 1, true);
  private static final int N = 7;

  private static Kernels kernels(String backend, int threads) {
    return Kernels.create(BackendChoice.named(backend), Parallel.ofThreads(threads));
  }

  private static Parameter parameter(String name, int n) {
    float[] value = new float[n];
    for (int i = 0; i < n; i++) {
      value[i] = CounterRandom.gaussian(1, i);
    }
    return new Parameter(name, FloatMatrix.of(value, 1, n), true);
  }

  /** Gradients whose size jumps every 50 steps, so that the rate is clipped now and then. */
  private static float gradient(int step, int i) {
    float size = step / 50 % 2 == 0 ? 1 : 8;
    return size * (CounterRandom.gaussian(step + 2, i) + 0.3f * i / N);
  }

  /**
   * The algorithm in 30 decimal digits, written from the paper's formulas with bias corrections.
   */
  private static final class Exact {
    private final DfpField field = new DfpField(30);
    private final Dfp one = field.getOne();
    private final Dfp[] w = new Dfp[N];
    private final Dfp[] m = new Dfp[N];
    private final Dfp[] v = new Dfp[N];
    private int clipped;

    Exact(Parameter start) {
      for (int i = 0; i < N; i++) {
        w[i] = of(start.value().data()[i]);
        m[i] = field.getZero();
        v[i] = field.getZero();
      }
    }

    private Dfp of(double x) {
      return field.newDfp(x);
    }

    // Uncorrected moments, corrected where they are used: another way to the same numbers.
    void step(int t, Settings s, float lr) {
      Dfp beta1 = of(s.beta1());
      Dfp beta2 = of(s.beta2());
      Dfp correction1 = one.subtract(beta1.pow(t));
      Dfp correction2 = one.subtract(beta2.pow(t));
      Dfp eps = of(s.eps());
      Dfp sum = field.getZero();
      for (int i = 0; i < N; i++) {
        Dfp g = of(gradient(t, i));
        m[i] = beta1.multiply(m[i]).add(one.subtract(beta1).multiply(g));
        v[i] = beta2.multiply(v[i]).add(one.subtract(beta2).multiply(g).multiply(g));
        Dfp square = v[i].divide(correction2);
        Dfp floor = eps.multiply(eps);
        sum = sum.add(g.multiply(g).divide(square.lessThan(floor) ? floor : square));
      }
      Dfp rms = sum.divide(N).sqrt().divide(of(s.threshold()));
      clipped += rms.greaterThan(one) ? 1 : 0;
      Dfp rate = of(lr).divide(rms.lessThan(one) ? one : rms);
      Dfp decay = (s.clipsDecay() ? rate : of(lr)).multiply(of(s.decay()));
      for (int i = 0; i < N; i++) {
        Dfp root = v[i].divide(correction2).sqrt().add(eps);
        Dfp update = rate.multiply(m[i].divide(correction1).divide(root));
        w[i] = w[i].multiply(one.subtract(decay)).subtract(update);
      }
    }
  }

  /**
   * With u = 2^-24: a step rounds w twice, 2 u |w|. Its update, of at most about 3 lr here, is off
   * by the roundings of the moments, 3 a step of which the last 1 / (1 - beta) count: 30 u from the
   * first and half of 300 u from the second, and by 10 u of its own. With |w| below 2.5 and lr =
   * 0.002 that is 1000 (5 u + 0.006 * 190 u) < 6200 u in all.
   */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void followsTheFormulaOver1000Steps(String backend) {
    for (boolean clipsDecay : new boolean[] {true, false}) {
      float threshold = clipsDecay ? 1 : 0.8f;
      Settings settings = new Settings(0.9f, 0.99f, 1e-6f, 0.2f, threshold, clipsDecay);
      Parameter p = parameter("w", N);
      Exact exact = new Exact(p);
      StableAdamW optimizer = new StableAdamW(kernels(backend, 1), List.of(p), settings);
      for (int t = 1; t <= 1000; t++) {
        for (int i = 0; i < N; i++) {
          p.grad().data()[i] = gradient(t, i);
        }
        optimizer.step(2e-3f);
        exact.step(t, settings, 2e-3f);
      }
      for (int i = 0; i < N; i++) {
        assertThat(exact.w[i].abs().toDouble()).isLessThan(2.5);
        assertThat((double) p.value().data()[i])
            .isCloseTo(exact.w[i].toDouble(), within(6200 * 0x1p-24));
      }
      assertThat(exact.clipped).isBetween(100, 900);
      assertThat(p.version()).isEqualTo(1000);
    }
  }

  /** If v has settled at g^2 and g becomes k g, the RMS is k / sqrt(beta2 + (1 - beta2) k^2). */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector"})
  void rmsShowsHowFarTheSecondMomentLagsBehind(String backend) {
    int n = 10_001;
    float[] g = new float[n];
    float[] m = new float[n];
    float[] v = new float[n];
    for (double k : new double[] {0.5, 1, 2, 10, 1000}) {
      Arrays.fill(g, 0.25f);
      Arrays.fill(m, 0);
      Arrays.fill(v, 0);
      Kernels kernels = kernels(backend, 1);
      for (int t = 1; t <= 20; t++) { // the corrected v is g^2 from the first step on
        kernels.elementwise().stableAdamWMoments(g, m, v, n, t, 0.9f, 0.99f, 1e-6f);
      }
      Arrays.fill(g, (float) (0.25 * k));
      // Late enough for the correction to be gone: beta2^t < 1e-8.
      double rms = kernels.elementwise().stableAdamWMoments(g, m, v, n, 2000, 0.9f, 0.99f, 1e-6f);
      double expected = k / Math.sqrt(0.99 + 0.01 * k * k);
      assertThat(rms).isCloseTo(expected, within(1e-5 * expected));
      assertThat(rms).isLessThan(1 / Math.sqrt(1 - 0.99f));
    }
  }

  /**
   * As the gains of a zero-initialised layer scale have them in the first step, and their branch.
   */
  @Test
  void gradientsOfZerosMoveNothing() {
    Parameter gain = Parameter.vector("gain", new float[N]);
    Parameter branch = parameter("branch", N);
    StableAdamW optimizer =
        StableAdamW.ofGroups(
            kernels("vector", 1),
            List.of(new ParameterGroup(List.of(gain, branch), 1, 0)),
            SETTINGS);
    optimizer.step(0.1f);
    assertThat(gain.value().data()).containsOnly(0);
    assertThat(branch.value().data()).isEqualTo(parameter("branch", N).value().data());
    gain.grad().data()[0] = 1e-3f;
    optimizer.step(0.1f);
    assertThat(gain.value().data()[0]).isNegative();
    assertThat(Arrays.copyOfRange(gain.value().data(), 1, N)).containsOnly(0);
  }

  private static float[] train(Kernels kernels, int from, int to, int n, Parameter p, Optimizer o) {
    for (int t = from; t <= to; t++) {
      for (int i = 0; i < n; i++) {
        p.grad().data()[i] = gradient(t, i);
      }
      GradientClipping.clip(kernels, List.of(p), 30);
      o.step(1e-2f);
    }
    return p.value().data();
  }

  @Test
  void threadsDoNotChangeAResult() {
    int n = 100_003; // several runs and tasks, and a rest
    float[][] results = new float[2][];
    for (int threads = 1; threads <= 2; threads++) {
      Kernels kernels = kernels("vector", threads);
      Parameter p = parameter("w", n);
      Optimizer optimizer = new StableAdamW(kernels, List.of(p), SETTINGS);
      results[threads - 1] = train(kernels, 1, 12, n, p, optimizer);
    }
    assertThat(Arrays.equals(results[0], results[1])).isTrue();
  }

  @Test
  void goesOnFromItsState() {
    Kernels kernels = kernels("vector", 1);
    for (boolean stable : new boolean[] {true, false}) {
      Parameter whole = parameter("w", N);
      train(kernels, 1, 40, N, whole, optimizer(kernels, stable, whole));

      Parameter half = parameter("w", N);
      Optimizer first = optimizer(kernels, stable, half);
      train(kernels, 1, 20, N, half, first);
      List<MomentState> state = first.state();
      Parameter rest = new Parameter("w", FloatMatrix.of(half.value().data().clone(), 1, N), true);
      train(kernels, 21, 22, N, half, first); // the state is a copy
      Optimizer second = optimizer(kernels, stable, rest);
      second.restore(state);
      train(kernels, 21, 40, N, rest, second);

      assertThat(rest.value().data()).isEqualTo(whole.value().data());
    }
  }

  private static Optimizer optimizer(Kernels kernels, boolean stable, Parameter p) {
    return stable
        ? new StableAdamW(kernels, List.of(p), SETTINGS)
        : new AdamW(kernels, List.of(p), AdamW.Settings.DEFAULT);
  }

  @Test
  void refusesAStateThatDoesNotFit() {
    Parameter p = parameter("w", N);
    Kernels kernels = kernels("reference", 1);
    Optimizer optimizer = optimizer(kernels, true, p);
    train(kernels, 1, 3, N, p, optimizer);
    MomentState good = optimizer.state().getFirst();
    MomentState other = new MomentState("x", 1, new float[N], new float[N]);
    MomentState narrow = new MomentState("w", 1, new float[N], new float[N - 1]);
    MomentState early = new MomentState("w", 0, new float[N], new float[N]);
    List<List<MomentState>> all =
        new ArrayList<>(
            List.of(List.of(good, other), List.of(narrow), List.of(early), List.of(good, good)));
    for (float bad :
        new float[] {-Float.MIN_VALUE, Float.NaN, Float.NEGATIVE_INFINITY, Float.MAX_VALUE * 2}) {
      float[] moments = new float[N];
      moments[N - 1] = bad;
      all.add(List.of(new MomentState("w", 1, new float[N], moments)));
      if (!Float.isFinite(bad)) {
        all.add(List.of(new MomentState("w", 1, moments, new float[N])));
      }
    }
    for (List<MomentState> wrong : all) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> optimizer.restore(wrong))
          .withMessageStartingWith("the state does not fit the optimizer: ");
    }
    optimizer.restore(List.of(new MomentState("w", 1, good.m(), good.v()))); // the earliest
    optimizer.restore(List.of(good));
    assertThat(optimizer.state().getFirst().step()).isEqualTo(3);
    assertThat(optimizer.state().getFirst().m()).isEqualTo(good.m());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> optimizer.restore(List.of(other, narrow)))
        .withMessage(
            "the state does not fit the optimizer: no parameter x; 7 and 6 moments for w 1x7");
  }

  /** There is a number for no further step: it is refused before any parameter makes it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theLastStepIsFollowedByNone(boolean stable) {
    Parameter p = parameter("w", N);
    Optimizer optimizer = optimizer(kernels("vector", 1), stable, p);
    MomentState last = new MomentState("w", Integer.MAX_VALUE, new float[N], new float[N]);
    optimizer.restore(List.of(last));
    for (int attempt = 0; attempt < 2; attempt++) {
      assertThatIllegalStateException()
          .isThrownBy(() -> optimizer.step(0.1f))
          .withMessageStartingWith("w 1x7 has made 2147483647 steps (expected fewer: ");
      assertThat(p.value().data()).isEqualTo(parameter("w", N).value().data());
      assertThat(optimizer.state().getFirst().step()).isEqualTo(Integer.MAX_VALUE);
    }
  }

  /** So are numbers whose squares are infinite: a second moment would be for ever. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void stopsBeforeAnythingIsChanged(boolean stable) {
    for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 1e25f, 2e19f}) {
      Parameter good = parameter("good", N);
      Parameter spoiled = parameter("spoiled", N);
      List<Parameter> both = List.of(good, spoiled);
      Kernels kernels = kernels("vector", 1);
      Optimizer optimizer =
          stable
              ? new StableAdamW(kernels, both, SETTINGS)
              : new AdamW(kernels, both, AdamW.Settings.DEFAULT);
      Arrays.fill(good.grad().data(), 1);
      spoiled.grad().data()[5] = bad;
      assertThatExceptionOfType(NonFiniteException.class)
          .isThrownBy(() -> optimizer.step(0.1f))
          .withMessage(
              "element (0, 5) of the gradient of spoiled 1x7 is %s (expected finite numbers, the"
                  + " sum of whose squares is within float32)",
              bad);
      assertThat(good.value().data()).isEqualTo(parameter("good", N).value().data());
      assertThat(optimizer.state()).isEmpty();
    }
  }

  @Test
  void skipsAndCounts() {
    Parameter good = parameter("good", N);
    Parameter spoiled = parameter("spoiled", N);
    Kernels kernels = kernels("vector", 1).withNonFinite(NonFinitePolicy.PROPAGATE);
    Optimizer optimizer =
        StableAdamW.ofGroups(
            kernels, ParameterGroup.byDecay(List.of(good, spoiled), 0.1f), SETTINGS);
    Arrays.fill(good.grad().data(), 1);
    spoiled.grad().data()[0] = Float.POSITIVE_INFINITY;
    optimizer.step(0.1f);
    optimizer.step(0.1f);
    assertThat(optimizer.skipped()).containsExactly(java.util.Map.entry("spoiled", 2L));
    assertThat(spoiled.value().data()).isEqualTo(parameter("spoiled", N).value().data());
    assertThat(spoiled.version()).isZero();
    assertThat(good.value().data()).isNotEqualTo(parameter("good", N).value().data());
    Arrays.fill(spoiled.grad().data(), 1);
    optimizer.step(0.1f);
    assertThat(optimizer.skipped()).containsEntry("spoiled", 2L);
    assertThat(optimizer.state()).extracting(MomentState::step).containsExactly(3, 1);
    optimizer.zeroGrad();
    assertThat(good.grad().data()).containsOnly(0);
  }

  @Test
  void groupsHaveRatesAndDecaysOfTheirOwn() {
    List<float[]> results = new ArrayList<>();
    for (float[] factors : new float[][] {{1, 0.5f}, {0.5f, 1}, {0.5f, 0.5f}}) {
      Parameter p = parameter("w", N);
      Arrays.fill(p.grad().data(), 1);
      Optimizer optimizer =
          StableAdamW.ofGroups(
              kernels("reference", 1),
              List.of(new ParameterGroup(List.of(p), factors[0], 0.5f)),
              SETTINGS);
      optimizer.step(0.1f * factors[1]);
      results.add(p.value().data());
    }
    assertThat(results.get(0)).isEqualTo(results.get(1)).isNotEqualTo(results.get(2));
    // One step of a constant gradient moves by the rate, and the decay of the group applies.
    float w = parameter("w", N).value().data()[3];
    assertThat(results.get(0)[3]).isCloseTo(w * (1 - 0.05f * 0.5f) - 0.05f, within(1e-6f));
  }

  @Test
  void clipsByTheNormOverAllParameters() {
    Parameter a = parameter("a", 3);
    Parameter b = parameter("b", 2);
    Parameter frozen = parameter("c", 1);
    frozen.setFrozen(true);
    a.grad().data()[0] = 3;
    b.grad().data()[1] = -4;
    Kernels kernels = kernels("vector", 1);
    List<Parameter> all = List.of(a, b, frozen);
    assertThat(GradientClipping.clip(kernels, all, 6)).isEqualTo(5);
    assertThat(a.grad().data()).containsExactly(3, 0, 0);
    assertThat(GradientClipping.clip(kernels, all, 1)).isEqualTo(5);
    assertThat(a.grad().data()[0]).isCloseTo(0.6f, within(1e-7f));
    assertThat(b.grad().data()[1]).isCloseTo(-0.8f, within(1e-7f));
    a.grad().data()[2] = Float.NaN;
    assertThat(GradientClipping.clip(kernels, all, 0.1f)).isNaN();
    assertThat(b.grad().data()[1]).isCloseTo(-0.8f, within(1e-7f));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GradientClipping.clip(kernels, all, 0))
        .withMessage("maxNorm is 0.0 (expected more than 0)");
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Settings(0.9f, 0.99f, 1e-20f, 0, 1, true))
        .withMessage("eps is 1.0E-20 (expected 1.1e-19 or more)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Settings(0.9f, 0.99f, 1e-6f, 0, 0, true))
        .withMessage("threshold is 0.0 (expected more than 0)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Settings(-0.1f, 0.99f, 1e-6f, 0, 1, true))
        .withMessage("beta1 is -0.1 (expected 0 or more, less than 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Settings(0.9f, 0.99f, 1e-6f, -1, 1, true))
        .withMessage("decay is -1.0 (expected 0 or more)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ParameterGroup(List.of(), 1, -1))
        .withMessage("decay is -1.0 (expected 0 or more)");
    assertThat(new Settings(0, 0, 0x1p-63f, 0, 1, true).beta1()).isZero(); // the least of each
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Settings(0.9f, 1, 1e-6f, 0, 1, true))
        .withMessage("beta2 is 1.0 (expected 0 or more, less than 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ParameterGroup(List.of(), -1, 0))
        .withMessage("rate factor is -1.0 (expected 0 or more)");
    Parameter p = parameter("w", N);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new StableAdamW(kernels("reference", 1), List.of(p, p), SETTINGS))
        .withMessageStartingWith("parameter w 1x7 is listed twice");
  }
}
