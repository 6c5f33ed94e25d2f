package dev.switchyard.bench.soak;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What one case of a run does. All of it follows from the seed, the number and the most threads.
 *
 * @param seed of the run
 * @param number of the case in it, from 0
 * @param mostThreads that any case of the run has
 * @param kind of model
 * @param precision of its linear layers
 * @param backend that computes
 * @param threads that compute
 * @param stable whether the optimizer is StableAdamW, or else AdamW
 * @param steps of training
 * @param fault that happens meanwhile
 */
record SoakCase(
    long seed,
    long number,
    int mostThreads,
    SoakModel.Kind kind,
    Precision precision,
    String backend,
    int threads,
    boolean stable,
    int steps,
    Fault fault) {
  /** One case in so many has a fault. */
  private static final int CALM = 12;

  /** What runs on this machine, but for the reference that all is compared with. */
  private static final List<String> BACKENDS =
      Stream.of("x86-amx", "x86-avx512", "x86-avx_vnni", "x86-avx2", "vector")
          .filter(SoakCase::runs)
          .toList();

  private static boolean runs(String backend) {
    try {
      BackendChoice.named(backend);
      return true;
    } catch (IllegalStateException e) {
      return false; // it says which instructions or which flag it lacks
    }
  }

  static List<String> backends() {
    return BACKENDS;
  }

  /** Whether this machine runs machine code. */
  static boolean emitsCode() {
    return BACKENDS.stream().anyMatch(backend -> backend.startsWith("x86"));
  }

  static SoakCase draw(long seed, long number, int mostThreads) {
    Draw draw = new Draw(random(seed, number).split(0));
    return new SoakCase(
        seed,
        number,
        mostThreads,
        draw.of(SoakModel.Kind.values()),
        draw.oneIn(4) ? Precision.FLOAT32 : draw.of(Precision.values()),
        draw.of(BACKENDS.toArray(String[]::new)),
        draw.between(1, mostThreads),
        draw.oneIn(2),
        draw.between(2, 4),
        draw.oneIn(CALM) ? draw.of(Fault.possible().toArray(Fault[]::new)) : Fault.NONE);
  }

  private static CounterRandom random(long seed, long number) {
    return new CounterRandom(seed).split(number);
  }

  /** For what is drawn while the case runs. */
  CounterRandom random(int purpose) {
    return random(seed, number).split(purpose);
  }

  /** The model at its first step, each time another object. */
  SoakModel model() {
    SoakModel model = kind.draw(new Draw(random(1)), precision);
    model.disturb(random(2));
    return model;
  }

  /** On the backend and the threads of this case. */
  Kernels kernels(Parallel parallel) {
    return Kernels.create(BackendChoice.named(backend), parallel);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s in %s on %s with %d threads and %s, %d steps with %s: %s",
        kind,
        precision,
        backend,
        threads,
        stable ? "StableAdamW" : "AdamW",
        steps,
        fault == Fault.NONE ? "no fault" : fault,
        model().description());
  }
}
