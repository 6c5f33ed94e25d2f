package dev.switchyard.bench.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MachineInfoTest {
  @Test
  void describesTheMachineThatRunsTheTest() {
    MachineInfo machine = MachineInfo.ofThisMachine();

    assertThat(machine.cpu()).isNotBlank();
    assertThat(machine.cores()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(machine.memoryBytes()).isGreaterThan(Runtime.getRuntime().totalMemory());
    assertThat(machine.os()).startsWith(System.getProperty("os.name"));
    assertThat(machine.jdk()).startsWith(String.valueOf(Runtime.version()));
  }

  @Test
  void readsTheModelOfTheFirstProcessor() {
    List<String> lines =
        List.of("processor\t: 0", "model name\t: Some CPU: 2 GHz ", "model name\t: Other");

    assertThat(MachineInfo.cpuModel(lines, "amd64")).isEqualTo("Some CPU: 2 GHz");
  }

  @Test
  void fallsBackToTheArchitecture() {
    List<String> lines = List.of("processor\t: 0", "model name\t: ", "CPU part\t: 0xd0c");

    assertThat(MachineInfo.cpuModel(lines, "aarch64")).isEqualTo("aarch64");
  }

  @Test
  void fitsOnALine() {
    MachineInfo machine =
        new MachineInfo("Some CPU", 2, 24L << 30, "Linux 6.1", "25.0.3 (Some vendor)");

    assertThat(machine.inOneLine())
        .isEqualTo("Some CPU, 2 cores, 24.0 GiB, Linux 6.1, JDK 25.0.3 (Some vendor)");
  }
}
