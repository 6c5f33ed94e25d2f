package dev.switchyard.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.kernels.KernelFaultCases;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.LayerFaultCases;
import dev.switchyard.layers.Linear;
import dev.switchyard.mpi.DataParallel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * After an error that a caller catches, wherever the stack or the heap came to an end, later calls
 * are right to the bit or refused in a sentence, and write nothing beside their results.
 *
 * <p><b>Operations.</b> Every public method of the exported packages of kernels and layers is run
 * by a case, or the test fails and names it. Exempt is what can leave nothing half done: a method
 * that calls nothing and stores nothing; one of a record or enum that makes something of other
 * values; {@code toString}, {@code equals} and {@code hashCode}; constructors, whose object nobody
 * has then (those that change their arguments have cases). So is what needs processes of a
 * launcher. Gradients are exchanged, parameters agreed on and an optimizer dealt out in one
 * process; rows are gathered from one that has a double.
 *
 * <p><b>Errors.</b> One call of the thread that began the operation fails, or one allocation on any
 * thread, or that and all later ones. What can fail is in the rewritten code: for kernels, their
 * calls and allocations; for layers those of layers and of exchanges, and apart from these those of
 * the kernels below them. The quick test tries one error a case, of the three kinds in turn, and
 * draws fewer calls of kernels. The profile {@code full} tries, in kernels, every place that can
 * fail, told apart by the calls that led there, at the first and at the last time that it is
 * passed. In layers it tries each call and allocation of what has up to 300 of a kind, and
 * otherwise 300: 37 from the first on, 37 to the last, and between them some that lie evenly; of
 * kernels below layers 48.
 *
 * <p><b>Backends.</b> The one that is chosen for the processor, so machine code where there is a
 * generator: its argument blocks, panels and native memory are what can be left half written; and
 * {@code reference} for what every backend shares, drivers and results. {@code vector} has no state
 * of its own, and would be thousands of times slower in a JVM that has only its first compiler.
 */
class FaultInjectionTest {
  private static final Set<String> KERNELS =
      Set.of(
          "dev.switchyard.kernels",
          "dev.switchyard.kernels.data",
          "dev.switchyard.kernels.parallel");
  private static final Set<String> LAYERS =
      Set.of(
          "dev.switchyard.encoders",
          "dev.switchyard.layers",
          "dev.switchyard.layers.activation",
          "dev.switchyard.layers.attention",
          "dev.switchyard.layers.block",
          "dev.switchyard.layers.coda",
          "dev.switchyard.layers.embedding",
          "dev.switchyard.layers.io",
          "dev.switchyard.layers.loss",
          "dev.switchyard.layers.model",
          "dev.switchyard.layers.norm",
          "dev.switchyard.layers.optim",
          "dev.switchyard.layers.training",
          "dev.switchyard.mpi");

  @TempDir private Path directory;

  @Test
  void someErrors() throws IOException, InterruptedException {
    Set<String> exported = new HashSet<>(KERNELS);
    exported.addAll(LAYERS);
    new FaultJvm(
            directory, exported, Kernels.class, Linear.class, DataParallel.class, BertEncoder.class)
        .with("-D" + KernelFaultCases.DRAWS + "=200")
        .run(1, KernelFaultCases.class, LayerFaultCases.class);
  }

  @Tag("full")
  @Test
  void errorsAtEveryPlaceOfKernels() throws IOException, InterruptedException {
    kernels().run(FaultRuns.EVERY_PLACE, KernelFaultCases.class);
  }

  @Tag("full")
  @Test
  void manyErrorsInKernelsOfTheReference() throws IOException, InterruptedException {
    kernels().with("-D" + KernelFaultCases.BACKEND + "=reference").run(8, KernelFaultCases.class);
  }

  @Tag("full")
  @Test
  void allErrorsInSmallOperationsOfLayers() throws IOException, InterruptedException {
    new FaultJvm(directory, LAYERS, Linear.class, DataParallel.class, BertEncoder.class)
        .run(300, LayerFaultCases.class);
  }

  @Tag("full")
  @Test
  void manyErrorsInKernelsBelowLayers() throws IOException, InterruptedException {
    new FaultJvm(directory, Set.of(), Kernels.class, Linear.class, DataParallel.class)
        .run(48, LayerFaultCases.class);
  }

  private FaultJvm kernels() throws IOException {
    return new FaultJvm(directory, KERNELS, Kernels.class);
  }

  @Test
  void anOperationWithoutACaseIsNamed() throws IOException {
    FaultJvm jvm = kernels();
    List<String> all = jvm.withoutCase(List.of());
    assertThat(all).anyMatch(operation -> operation.startsWith("Kernels.multiply("));
    assertThat(jvm.withoutCase(List.of(FaultRuns.ENTERED + 1)))
        .hasSize(all.size() - 1)
        .doesNotContain(all.get(1));
  }
}
