package dev.switchyard.bench.doctor;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.data.ElementType;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code switchyard doctor}: what Switchyard finds here, and what it makes of it. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Tells what Switchyard finds on this machine: processor, JVM, the backend it chooses and why,"
          + " the instruction sets that pass its self-test, libraries to compare with; measures"
          + " what limits it: the dot instructions and memory; and says what you could do to be"
          + " faster.",
      ""
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final int LABEL = 14;

  private static final List<String> PATHS =
      List.of("x86-amx", "x86-avx512", "x86-avx_vnni", "x86-avx2", "vector", "reference");

  @Spec private CommandSpec spec;

  /** Filled in by picocli. */
  public DoctorCommand() {}

  @Override
  public Integer call() {
    MachineInfo machine = MachineInfo.ofThisMachine();
    print("Machine", machine(machine));
    print("Java", java(machine));
    Map<String, String> backends = new LinkedHashMap<>();
    Optional<BackendChoice> chosen = chosen(backends);
    PATHS.forEach(path -> backends.put(path, path(path)));
    print("Switchyard", backends);
    print("Speed of one thread", speed(chosen));
    print("Peers", peers());
    Map<String, String> advice = new LinkedHashMap<>();
    chosen.ifPresent(
        choice ->
            Advice.ofThisJvm(choice)
                .sentences()
                .forEach(sentence -> advice.put(String.valueOf(advice.size() + 1), sentence)));
    print("To be faster", advice);
    return 0;
  }

  private static Map<String, String> machine(MachineInfo machine) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("processor", machine.cpu());
    facts.put("cores", String.valueOf(machine.cores()));
    facts.put("memory", machine.memoryBytes() == 0 ? "unknown" : machine.memoryGib() + " GiB");
    facts.put("system", machine.os());
    return facts;
  }

  private static Map<String, String> java(MachineInfo machine) {
    List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
    double heapGib = (double) Runtime.getRuntime().maxMemory() / (1 << 30);
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("JDK", machine.jdk());
    facts.put("heap", String.format(Locale.ROOT, "%.1f GiB at most", heapGib));
    facts.put("flags", flags.isEmpty() ? "none" : String.join(" ", flags));
    return facts;
  }

  private static Optional<BackendChoice> chosen(Map<String, String> facts) {
    try {
      BackendChoice choice = BackendChoice.automatic();
      facts.put("backend", choice.reason());
      return Optional.of(choice);
    } catch (IllegalArgumentException | IllegalStateException e) {
      facts.put("backend", "none: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Whether a path runs: to choose it, it has to be emitted and to pass its self-test. */
  private static String path(String name) {
    try {
      BackendChoice.named(name);
      return name.startsWith("x86") ? "runs; each of its kernels passed its self-test" : "runs";
    } catch (IllegalStateException e) {
      return e.getMessage();
    }
  }

  private static Map<String, String> speed(Optional<BackendChoice> choice) {
    Map<String, String> facts = new LinkedHashMap<>();
    for (ElementType type : ElementType.values()) {
      choice
          .flatMap(backend -> backend.peak(type))
          .ifPresent(
              loop ->
                  facts.put(
                      type.name().toLowerCase(Locale.ROOT),
                      String.format(
                          Locale.ROOT,
                          "%.0f Gop/s at most (%s)",
                          PeakRate.measure(loop),
                          loop.instruction())));
    }
    facts.put(
        "memory copy",
        String.format(Locale.ROOT, "%.1f GB/s, read and written", CopyBandwidth.measure()));
    return facts;
  }

  private static Map<String, String> peers() {
    return Measuring.find()
        .map(Measuring::peers)
        .orElse(
            Map.of("none", "bench/switchyard matmul and other commands that measure fetch them"));
  }

  private void print(String title, Map<String, String> facts) {
    PrintWriter console = spec.commandLine().getOut();
    console.println(title);
    facts.forEach(
        (label, text) -> console.println("  " + label + " ".repeat(LABEL - label.length()) + text));
    console.println();
    console.flush();
  }
}
