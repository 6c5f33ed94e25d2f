package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Precisions;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.mpi.Faults.Kind;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A step of several parameters that fails, at whichever call, has changed nothing, or every later
 * one is refused until it is restored: never a mixture of two steps.
 */
class HalfStepTest {
  private static final int EVERY = 2;
  private static final int SMALL = 2; // rows
  private static final int LARGE = 15_000; // enough to be spread

  private final Kernels kernels = Kernels.create(Parallel.serial());

  private static List<Parameter> parameters(int rows) {
    return IntStream.range(0, 4)
        .mapToObj(i -> new Parameter("p" + i, FloatMatrix.allocate(rows + i, 3), true))
        .toList();
  }

  private static void setGradients(List<Parameter> parameters, long key) {
    for (Parameter parameter : parameters) {
      float[] g = parameter.grad().data();
      for (int i = 0; i < g.length; i++) {
        g[i] = CounterRandom.gaussian(key + parameter.name().hashCode(), i);
      }
    }
  }

  /** Local steps of a process, in which weights move by a number of their own. */
  private static final class Locally {
    private final Collective collective;
    private final List<Parameter> parameters;
    private final LocalSteps local;

    Locally(Collective collective, Kernels kernels, int rows, Reduction reduction) {
      this.collective = collective;
      this.parameters = parameters(rows);
      local =
          new LocalSteps(
              collective, kernels, parameters, reduction, 1, LocalSteps.Settings.every(EVERY));
    }

    boolean step(int step) {
      for (Parameter parameter : parameters) {
        parameter.value().data()[0] += 1 + step + 10 * collective.rank();
        parameter.markChanged();
      }
      return local.afterStep();
    }

    String bits() {
      return Fingerprint.of(parameters) + local.state().get("p3").get(0, 0);
    }
  }

  @ParameterizedTest
  @EnumSource(Reduction.class)
  void anAgreementThatFailsChangesNothingOrIsRefused(Reduction reduction) {
    Faults none = new Faults();
    Locally undisturbed = new Locally(none.over(new SingleProcess()), kernels, SMALL, reduction);
    undisturbed.step(0);
    none.arm(null, 0);
    undisturbed.step(1);
    String expected = undisturbed.bits();

    for (int call = 0; call < none.calls(Kind.COMMUNICATION); call++) {
      Faults faults = new Faults();
      Locally locally = new Locally(faults.over(new SingleProcess()), kernels, SMALL, reduction);
      locally.step(0);
      faults.arm(Kind.COMMUNICATION, call);
      assertThatThrownBy(() -> locally.step(1)).isInstanceOf(Faults.Injected.class);
      assertThat(locally.bits()).as("state before the agreement").isNotEqualTo(expected);
      assertThat(locally.parameters.stream().map(p -> p.grad().get(0, 0))).containsOnly(0f);
      assertThat(locally.local.state().get("p3").get(0, 0)).isZero();
      assertThatThrownBy(locally.local::afterStep).isInstanceOf(CollectiveException.class);
    }
    assertThat(none.calls(Kind.COMMUNICATION)).isGreaterThan(2);
  }

  /** All have agreed, and then a parameter makes no outer step here: its weight has gone. */
  @Test
  void anOuterStepThatFailsHalfWayIsRefusedUntilRestored() {
    Linear layer = new Linear("layer", 8, 8, Precision.SWITCHBACK, new CounterRandom(1));
    List<Parameter> parameters = layer.parameters().reversed();
    Parameter bias = parameters.getFirst();
    Parameter weight = parameters.getLast();
    boolean[] lets = {false};
    Collective releasing = atTheEndOfAStep(() -> lets[0] = release(layer, lets[0]));
    LocalSteps local =
        new LocalSteps(
            releasing, kernels, parameters, Reduction.ORDERED, 1, LocalSteps.Settings.every(1));
    FloatMatrix ofWeight = weight.value().copy();
    FloatMatrix ofBias = bias.value().copy();
    Map<String, FloatMatrix> saved = new HashMap<>();
    local.state().forEach((name, m) -> saved.put(name, m.copy()));
    bias.value().set(0, 0, 3);
    bias.markChanged();

    lets[0] = true;
    assertThatThrownBy(local::afterStep)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(weight.name())
        .isNotInstanceOf(CollectiveException.class);
    for (ThrowingCallable next : List.<ThrowingCallable>of(local::afterStep, local::state)) {
      assertThatThrownBy(next)
          .isInstanceOf(CollectiveException.class)
          .hasMessageStartingWith("an agreement has failed half-way here, ");
    }
    weight.assign(ofWeight);
    bias.assign(ofBias);
    local.restore(saved);
    assertThat(local.afterStep()).isTrue();
    assertThat(bias.value().toArray()).isEqualTo(ofBias.toArray());
    assertThat(weight.value().toArray()).isEqualTo(ofWeight.toArray());
  }

  private boolean release(Linear layer, boolean now) {
    if (now) {
      assertThat(Precisions.release(layer, kernels).released()).hasSize(1);
    }
    return false;
  }

  /** A process alone that does something as it tells the others how its step has ended. */
  private static Collective atTheEndOfAStep(Runnable what) {
    return (Collective)
        Proxy.newProxyInstance(
            Collective.class.getClassLoader(),
            new Class<?>[] {Collective.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("duplicate")) {
                return proxy;
              }
              if (method.getName().equals("startGather")
                  && ((MemorySegment) arguments[0]).byteSize() == Long.BYTES) {
                what.run();
              }
              return method.invoke(new SingleProcess(), arguments);
            });
  }

  /** One process fails in the exchange; all try again, and agree as if nothing had been. */
  @Test
  void allProcessesAgreeAgainAfterOneHasFailed() throws Exception {
    int left =
        ThreadRanks.run(
            2,
            collective -> {
              Faults faults = new Faults();
              Kernels spread = Kernels.create(Parallel.over(faults.executor(), 2));
              Locally undisturbed = new Locally(collective, kernels, LARGE, Reduction.INT8);
              Locally locally = new Locally(collective, spread, LARGE, Reduction.INT8);
              for (int step = 0; step < EVERY; step++) {
                undisturbed.step(step);
              }
              locally.step(0);
              String before = locally.bits();
              if (collective.rank() == 1) {
                faults.arm(Kind.EXECUTOR, 0);
                assertThatThrownBy(() -> locally.step(1)).isInstanceOf(Faults.Injected.class);
              } else {
                assertThatThrownBy(() -> locally.step(1))
                    .isInstanceOf(AbandonedStepException.class)
                    .hasMessageContaining("process 1: dev.switchyard.mpi.Faults$Injected: EXEC");
              }
              assertThat(locally.bits()).isNotEqualTo(before); // of the step of its own
              faults.arm(null, 0);
              assertThat(locally.local.afterStep()).isTrue();
              assertThat(locally.bits()).isEqualTo(undisturbed.bits());
              undisturbed.local.close();
              locally.local.close();
            });
    assertThat(left).isZero();
  }

  /** An optimizer whose step fails before anything has changed, or when all has. */
  private Optimizer failing(List<Parameter> parameters, Faults faults) {
    Optimizer optimizer = new AdamW(kernels, parameters, AdamW.Settings.DEFAULT);
    return (Optimizer)
        Proxy.newProxyInstance(
            Optimizer.class.getClassLoader(),
            new Class<?>[] {Optimizer.class},
            (_, method, arguments) -> {
              if (!method.getName().equals("step")) {
                return method.invoke(optimizer, arguments);
              }
              faults.call(Kind.LISTENER);
              optimizer.step((float) arguments[0]);
              faults.call(Kind.LISTENER);
              return null;
            });
  }

  /** One of the processes fails at each of its calls: all are told, and refuse until restored. */
  @Test
  void aShardedStepThatFailsIsRefusedUntilRestored() throws Exception {
    for (int call = 0; call < 4; call++) {
      int at = call;
      ThreadRanks.run(
          2,
          collective -> {
            Faults faults = new Faults();
            List<Parameter> parameters = parameters(SMALL);
            ShardedOptimizer optimizer =
                new ShardedOptimizer(collective, kernels, parameters, own -> failing(own, faults));
            setGradients(parameters, 1);
            optimizer.step(0.1f);
            List<MomentState> saved = optimizer.state();
            String before = Fingerprint.of(parameters);
            Agreement.require(collective, Map.of("parameters", before));
            List<FloatMatrix> values =
                parameters.stream()
                    .map(p -> p.value().data().clone())
                    .map(x -> FloatMatrix.of(x, x.length / 3, 3))
                    .toList();
            int failing = at % 2;
            faults.arm(collective.rank() == failing ? Kind.LISTENER : null, at / 2);
            Set<String> messages = new HashSet<>();
            for (int attempt = 0; attempt < 3; attempt++) {
              assertThatThrownBy(() -> optimizer.step(0.1f))
                  .satisfies(e -> messages.add(e.getMessage()))
                  .isInstanceOf(CollectiveException.class)
                  .hasMessageStartingWith(
                      "a step of the optimizer has failed, after which parameters differ between"
                          + " processes (expected parameters and optimizer to be restored from a"
                          + " checkpoint): process ")
                  .hasMessageContaining(
                      "process "
                          + failing
                          + ": dev.switchyard.mpi.Faults$Injected: LISTENER fails");
              assertThatThrownBy(optimizer::state).isInstanceOf(CollectiveException.class);
            }
            assertThat(messages).as("does not grow with each attempt").hasSize(1);

            optimizer.restore(saved);
            for (int i = 0; i < parameters.size(); i++) {
              parameters.get(i).assign(values.get(i));
            }
            faults.arm(null, 0);
            optimizer.step(0.1f);
            Agreement.require(collective, Map.of("parameters", Fingerprint.of(parameters)));
            assertThat(Fingerprint.of(parameters)).isNotEqualTo(before);
            assertThat(optimizer.state()).extracting(MomentState::step).containsOnly(2);
          });
    }
  }

  /** What all refuse alike leaves nothing that is half done. */
  @Test
  void aStepThatIsRefusedBeforehandIsNoFailure() throws Exception {
    ThreadRanks.run(
        2,
        collective -> {
          List<Parameter> parameters = parameters(SMALL);
          ShardedOptimizer optimizer =
              new ShardedOptimizer(
                  collective,
                  kernels,
                  parameters,
                  own -> new AdamW(kernels, own, AdamW.Settings.DEFAULT));
          setGradients(parameters, 1);
          assertThatThrownBy(() -> optimizer.step(Float.NaN))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage("learning rate is NaN (expected a finite number, 0 or more)");
          parameters.getLast().grad().set(1, 1, Float.NaN);
          assertThatThrownBy(() -> optimizer.step(0.1f)).isInstanceOf(NonFiniteException.class);
          setGradients(parameters, 1);
          optimizer.step(0.1f);
          assertThat(optimizer.state()).hasSize(4).extracting(MomentState::step).containsOnly(1);
        });
  }
}
