package dev.switchyard.bench.command;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The machine and the JDK that a measurement belongs to.
 *
 * @param cpu the model of the processor, or its architecture where the system does not tell
 * @param cores the processors that this JVM may use
 * @param memoryBytes the memory of the machine or container, 0 if unknown
 * @param os name and version of the operating system
 * @param jdk version and vendor of the JDK
 */
public record MachineInfo(String cpu, int cores, long memoryBytes, String os, String jdk) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** What this program runs on. */
  public static MachineInfo ofThisMachine() {
    return new MachineInfo(
        readCpu(),
        Runtime.getRuntime().availableProcessors(),
        readMemoryBytes(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
  }

  /** The memory in GiB, for people. */
  public double memoryGib() {
    return Math.round(memoryBytes * 10.0 / (1 << 30)) / 10.0;
  }

  /** All in one line, as it stands below a table or a chart. */
  public String inOneLine() {
    return String.format(
        Locale.ROOT,
        "%s, %d core%s, %.1f GiB, %s, JDK %s",
        cpu,
        cores,
        cores == 1 ? "" : "s",
        memoryGib(),
        os,
        jdk);
  }

  private static String readCpu() {
    String architecture = System.getProperty("os.arch");
    try {
      return cpuModel(Files.readAllLines(CPU_INFO), architecture);
    } catch (IOException e) {
      // Not Linux, or a sandbox without /proc: the architecture is all that every system tells.
      return architecture;
    }
  }

  /** The first {@code model name} of a {@code /proc/cpuinfo}; ARM systems have none. */
  static String cpuModel(List<String> lines, String otherwise) {
    return lines.stream()
        .filter(line -> line.startsWith("model name") && line.contains(":"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .filter(model -> !model.isEmpty())
        .findFirst()
        .orElse(otherwise);
  }

  /** By name, since the interface that has this attribute is not in the Java SE API. */
  private static long readMemoryBytes() {
    try {
      Object total =
          ManagementFactory.getPlatformMBeanServer()
              .getAttribute(
                  new ObjectName(ManagementFactory.OPERATING_SYSTEM_MXBEAN_NAME),
                  "TotalMemorySize");
      return total instanceof Long bytes ? bytes : 0;
    } catch (JMException e) {
      return 0;
    }
  }
}
