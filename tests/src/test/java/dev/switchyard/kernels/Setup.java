package dev.switchyard.kernels;

import dev.switchyard.kernels.parallel.Parallel;
import java.util.List;
import java.util.stream.Stream;

/** A backend and a number of threads to test. */
record Setup(String backend, int threads) {
  static final List<String> BACKENDS = List.of("reference", "vector", "x86");

  /** Every backend on one thread and on two. */
  static Stream<Setup> all() {
    return BACKENDS.stream().flatMap(b -> Stream.of(new Setup(b, 1), new Setup(b, 2)));
  }

  static Kernels serial(String backend) {
    return new Setup(backend, 1).kernels();
  }

  Kernels kernels() {
    return on(backend, Parallel.ofThreads(threads));
  }

  static Kernels on(String backend, Parallel parallel) {
    return Kernels.create(BackendChoice.named(backend), parallel);
  }
}
