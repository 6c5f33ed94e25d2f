package dev.switchyard.faults;

import dev.switchyard.kernels.KernelFaultCases;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.LayerFaultCases;
import dev.switchyard.layers.Linear;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * After an error that a caller catches, wherever the stack or the heap came to an end, later calls
 * are right or refused, and write nothing beside their results. Every public method that changes
 * anything has a case.
 */
class FaultInjectionTest {
  private static final int SOME = 1;
  private static final int MANY = 20; // in less than a minute

  @TempDir private Path directory;

  private FaultJvm kernels() throws IOException {
    Set<String> exported =
        Set.of(
            "dev.switchyard.kernels",
            "dev.switchyard.kernels.data",
            "dev.switchyard.kernels.parallel");
    return new FaultJvm(directory, Kernels.class, exported);
  }

  @Test
  void someErrorsInKernels() throws IOException, InterruptedException {
    kernels().run(KernelFaultCases.class, SOME, 5);
  }

  @Tag("full")
  @Test
  void manyErrorsInKernels() throws IOException, InterruptedException {
    kernels().run(KernelFaultCases.class, MANY, 0);
  }

  @Test
  void someErrorsInLayers() throws IOException, InterruptedException {
    layers().run(LayerFaultCases.class, 4, 3);
  }

  @Tag("full")
  @Test
  void manyErrorsInLayers() throws IOException, InterruptedException {
    layers().run(LayerFaultCases.class, MANY, 0);
  }

  /** What steps of training go through; not every public method of layers. */
  private FaultJvm layers() throws IOException {
    return new FaultJvm(directory, Linear.class, Set.of());
  }
}
