package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.mpi.Faults.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A batch that fails leaves nothing in the next step's gradient, whichever call has failed, or the
 * next step is refused.
 */
class AbandonedStepTest {
  private static final int ROWS = 3;

  /** How a loop goes on after an exception; it sets gradients to zero either way. */
  enum Loop {
    ABANDONS,
    SAYS_NOTHING
  }

  /** A training as users write it. */
  private static final class Training {
    private final Collective collective;
    private final int shards;
    private final Loop loop;
    private final Linear a;
    private final Linear b;
    private final List<Parameter> parameters = new ArrayList<>();
    private final DataParallel parallel;
    private final Tape tape;
    private RuntimeException caught;

    Training(
        Collective collective,
        Parallel threads,
        Faults faults,
        int width,
        DataParallel.Settings settings,
        Loop loop) {
      this.collective = collective;
      this.shards = settings.shards();
      this.loop = loop;
      Kernels kernels = Kernels.create(threads);
      a = new Linear("a", width, width, Precision.SWITCHBACK, new CounterRandom(1));
      b = new Linear("b", width, width, Precision.FLOAT32, new CounterRandom(2));
      parameters.addAll(a.parameters());
      parameters.addAll(b.parameters());
      parallel = new DataParallel(faults.over(collective), kernels, parameters, settings);
      tape = Tape.recording(kernels);
      tape.whenComplete(
          parameter -> {
            faults.call(Kind.LISTENER);
            parallel.complete(parameter);
            faults.call(Kind.LISTENER);
          });
      tape.watch(
          (_, _) -> {
            faults.call(Kind.WATCHER);
            return _ -> faults.call(Kind.WATCHER);
          });
    }

    static Training alone(Faults faults, Reduction reduction, int shards, Loop loop) {
      return new Training(
          new SingleProcess(),
          Parallel.serial(),
          faults,
          8,
          new DataParallel.Settings(reduction, shards, 50, 1),
          loop);
    }

    /** Makes a step of a batch; gives the bits of its gradient, or none if it has failed. */
    int[] step(int batch) {
      caught = null;
      int[] bits = null;
      try {
        for (int shard = 0; shard < shards; shard++) {
          backward(batch, collective.rank() * shards + shard);
          parallel.afterBackward();
          tape.reset();
        }
        bits =
            parameters.stream()
                .flatMapToInt(
                    p ->
                        IntStream.range(0, p.grad().data().length)
                            .map(i -> Float.floatToRawIntBits(p.grad().data()[i])))
                .toArray();
      } catch (RuntimeException e) {
        caught = e;
        if (loop == Loop.ABANDONS) {
          parallel.abandon(e);
        }
      }
      parameters.forEach(Parameter::zeroGrad);
      tape.reset();
      return bits;
    }

    private void backward(int batch, int shard) {
      int width = a.parameters().getFirst().rows();
      CounterRandom random = new CounterRandom(7).split(batch).split(shard);
      Tensor x = Tensor.withGrad(gaussian(width, random.key(1)));
      tape.backward(b.forward(tape, a.forward(tape, x)), gaussian(width, random.key(2)));
    }

    private static FloatMatrix gaussian(int width, long key) {
      FloatMatrix x = FloatMatrix.allocate(ROWS, width);
      for (int i = 0; i < x.data().length; i++) {
        x.data()[i] = CounterRandom.gaussian(key, i);
      }
      return x;
    }

    /** As a loop does that goes on with whatever comes: what was refused is made again. */
    int[] stepAtLast(int batch) {
      int[] bits = step(batch);
      if (caught instanceof AbandonedStepException) {
        bits = step(batch);
      }
      return bits;
    }
  }

  static Stream<Arguments> trainings() {
    return Stream.of(Reduction.values())
        .flatMap(
            reduction ->
                IntStream.rangeClosed(1, 3)
                    .boxed()
                    .flatMap(
                        shards ->
                            Stream.of(Loop.values())
                                .map(loop -> Arguments.of(reduction, shards, loop))));
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void whatFailsLeavesNoTrace(Reduction reduction, int shards, Loop loop) {
    Faults none = new Faults();
    Training undisturbed = Training.alone(none, reduction, shards, loop);
    int[][] expected = {undisturbed.step(1), undisturbed.step(2), undisturbed.step(3)};
    none.arm(null, 0);
    undisturbed.step(9);

    for (Kind kind : List.of(Kind.WATCHER, Kind.LISTENER, Kind.COMMUNICATION)) {
      assertThat(none.calls(kind)).isPositive();
      for (int call = 0; call < none.calls(kind); call++) {
        Faults faults = new Faults();
        Training training = Training.alone(faults, reduction, shards, loop);
        assertThat(training.step(1)).isEqualTo(expected[0]);
        faults.arm(kind, call);
        assertThat(training.step(9)).isNull();
        assertThat(training.caught).isInstanceOf(Faults.Injected.class);

        int[] next = training.stepAtLast(2);
        if (kind == Kind.COMMUNICATION) {
          assertThat(training.caught)
              .isInstanceOf(CollectiveException.class)
              .hasMessageStartingWith("no more gradients can be exchanged (expected a training")
              .hasMessageEndingWith("COMMUNICATION fails at call " + call);
          assertThat(training.stepAtLast(3)).isNull();
        } else {
          assertThat(next).as("%s %d", kind, call).isEqualTo(expected[1]);
          assertThat(training.stepAtLast(3)).isEqualTo(expected[2]);
        }
      }
    }
  }

  /** Work that is large enough to be spread, in layers and in the exchange. */
  @ParameterizedTest
  @EnumSource(Loop.class)
  void anExecutorThatFailsLeavesNoTrace(Loop loop) {
    DataParallel.Settings settings = new DataParallel.Settings(Reduction.INT8, 1, 40_000, 1);
    for (int call = 0, calls = 1; call < calls; call++) {
      Faults faults = new Faults();
      Parallel threads = Parallel.over(faults.executor(), 2);
      Training training = new Training(new SingleProcess(), threads, faults, 192, settings, loop);
      faults.arm(null, 0);
      int[] expected = training.step(2);
      calls = faults.calls(Kind.EXECUTOR);

      training = new Training(new SingleProcess(), threads, faults, 192, settings, loop);
      faults.arm(Kind.EXECUTOR, call);
      assertThat(training.step(9)).isNull();
      assertThat(training.stepAtLast(2)).isEqualTo(expected);
      assertThat(calls).isPositive();
    }
  }

  /** One process fails, at each of its calls; the others are told, and all go on together. */
  @ParameterizedTest
  @CsvSource({"2, 1", "3, 2"})
  void allProcessesAbandonTheStepThatFailsOnOne(int size, int shards) throws Exception {
    for (Reduction reduction : Reduction.values()) {
      int left =
          ThreadRanks.run(
              size,
              collective -> {
                for (Kind kind : List.of(Kind.WATCHER, Kind.LISTENER)) {
                  for (int call = 0, calls = 1; call < calls; call += size) {
                    calls = oneFails(collective, reduction, shards, kind, call);
                  }
                }
              });
      assertThat(left).as("lines that were not given back").isZero();
    }
  }

  private static int oneFails(
      Collective collective, Reduction reduction, int shards, Kind kind, int call) {
    Faults none = new Faults();
    Faults faults = new Faults();
    int failing = call / collective.size() % collective.size();
    DataParallel.Settings settings = new DataParallel.Settings(reduction, shards, 50, 1);
    Training undisturbed =
        new Training(collective, Parallel.serial(), none, 8, settings, Loop.ABANDONS);
    Training training =
        new Training(collective, Parallel.serial(), faults, 8, settings, Loop.ABANDONS);
    none.arm(null, 0);
    assertThat(training.step(1)).isEqualTo(undisturbed.step(1));
    int calls = none.calls(kind);
    faults.arm(collective.rank() == failing ? kind : null, call);
    assertThat(training.step(9)).isNull();
    if (collective.rank() == failing) {
      assertThat(training.caught).isInstanceOf(Faults.Injected.class);
    } else {
      assertThat(training.caught)
          .isInstanceOf(AbandonedStepException.class)
          .hasMessage(
              "all processes have abandoned the step, which has failed on process %d:"
                  + " dev.switchyard.mpi.Faults$Injected: %s fails at call %d",
              failing, kind, call);
    }
    assertThat(training.step(2)).isEqualTo(undisturbed.step(2));
    assertThat(training.step(3)).isEqualTo(undisturbed.step(3));
    undisturbed.parallel.close();
    training.parallel.close();
    assertThatThrownBy(training.parallel::afterBackward)
        .hasMessage("this exchange of gradients was closed");
    return calls;
  }

  /** One makes a step fewer than the others. */
  @Test
  void aProcessThatLeavesIsNotWaitedFor() throws Exception {
    int left =
        ThreadRanks.run(
            3,
            collective -> {
              Faults faults = new Faults();
              DataParallel.Settings settings =
                  new DataParallel.Settings(Reduction.ORDERED, 2, 50, 1);
              Training training =
                  new Training(
                      collective, Parallel.serial(), faults, 8, settings, Loop.SAYS_NOTHING);
              if (collective.rank() == 1) {
                faults.arm(Kind.WATCHER, 5);
                training.step(1);
                training.parallel.close();
              } else {
                assertThat(training.step(1)).isNull();
                assertThat(training.caught)
                    .isInstanceOf(CollectiveException.class)
                    .hasMessageEndingWith("process 1 has left, so that there is no next step");
                assertThat(training.step(2)).isNull();
                training.parallel.close();
              }
            });
    assertThat(left).isZero();
  }

  /** One that begins the next step is told before it sends anything that nobody receives. */
  @Test
  void aProcessThatHasLeftIsSentNothing() throws Exception {
    ThreadRanks.run(
        2,
        collective -> {
          Faults faults = new Faults();
          DataParallel.Settings settings = new DataParallel.Settings(Reduction.FLOAT32, 1, 50, 1);
          Training training =
              new Training(collective, Parallel.serial(), faults, 8, settings, Loop.SAYS_NOTHING);
          if (collective.rank() == 1) {
            training.parallel.close();
            return;
          }
          faults.arm(Kind.WATCHER, 3);
          assertThat(training.step(1)).isNull();
          Parameter last = training.parameters.getLast();
          assertThatThrownBy(() -> training.parallel.complete(last))
              .isInstanceOf(CollectiveException.class)
              .hasMessageEndingWith("process 1 has left, so that there is no next step");
        });
  }

  @Test
  void whatWouldMixStepsIsRefused() {
    Training training = Training.alone(new Faults(), Reduction.ORDERED, 2, Loop.SAYS_NOTHING);
    DataParallel parallel = training.parallel;
    int[] expected = training.step(1);

    Parameter twice = training.parameters.getFirst();
    parallel.complete(twice);
    assertThatThrownBy(() -> parallel.complete(twice))
        .isInstanceOf(AbandonedStepException.class)
        .hasMessage(
            "the gradient of a.weight 8x8 was complete before in this backward pass (expected"
                + " afterBackward() after each, or gradients set to zero after one that failed)");
    assertThat(training.step(1)).isEqualTo(expected);

    parallel.afterBackward();
    twice.zeroGrad();
    assertThatThrownBy(parallel::afterBackward)
        .isInstanceOf(AbandonedStepException.class)
        .hasMessage(
            "some gradients were set to zero between two backward passes of a step (expected all,"
                + " after the last of 2 backward passes or after one that failed)");
    assertThat(training.step(1)).isEqualTo(expected);

    parallel.afterBackward();
    training.parameters.forEach(Parameter::zeroGrad);
    assertThatThrownBy(() -> parallel.complete(twice))
        .hasMessageStartingWith("all gradients were set to zero between two backward passes");
    parallel.abandon(new AbandonedStepException("as all have")); // nothing
    assertThat(training.step(1)).isEqualTo(expected);
    assertThat(Arrays.stream(expected).anyMatch(bits -> bits != 0)).isTrue();
  }
}
