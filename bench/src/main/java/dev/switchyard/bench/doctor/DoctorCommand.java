package dev.switchyard.bench.doctor;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.kernels.BackendChoice;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
          + " libraries to compare with; and measures what limits it.",
      ""
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final int LABEL = 14;

  @Spec private CommandSpec spec;

  /** Filled in by picocli. */
  public DoctorCommand() {}

  @Override
  public Integer call() {
    MachineInfo machine = MachineInfo.ofThisMachine();
    print("Machine", machine(machine));
    print("Java", java(machine));
    print("Switchyard", Map.of("backend", backend()));
    print("Peers", peers());
    return 0;
  }

  private static Map<String, String> machine(MachineInfo machine) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("processor", machine.cpu());
    facts.put("cores", String.valueOf(machine.cores()));
    facts.put("memory", machine.memoryBytes() == 0 ? "unknown" : machine.memoryGib() + " GiB");
    facts.put(
        "memory copy",
        String.format(Locale.ROOT, "%.1f GB/s on one thread", CopyBandwidth.measure()));
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

  private static String backend() {
    try {
      return BackendChoice.automatic().reason();
    } catch (IllegalArgumentException | IllegalStateException e) {
      return "none: " + e.getMessage();
    }
  }

  private static Map<String, String> peers() {
    Map<String, String> facts = new LinkedHashMap<>();
    for (Peer peer : Peers.find(1, (name, reason) -> facts.put(name, "left out: " + reason))) {
      facts.put(peer.name(), peer.description() + " for " + peer.types());
    }
    return facts;
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
