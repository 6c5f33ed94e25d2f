package dev.switchyard.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.kernels.BackendChoice;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
  @Test
  void tellsWhatThereIs() {
    CommandRun run = CommandRun.of("doctor");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    MachineInfo machine = MachineInfo.ofThisMachine();
    assertThat(run.out())
        .contains("  processor     " + machine.cpu())
        .contains("  cores         " + machine.cores())
        .containsPattern("  memory copy   [0-9.]+ GB/s, read and written")
        .containsPattern("  vector        runs\n  reference     runs\n")
        .contains("To be faster\n  1 ")
        .contains("  JDK           " + machine.jdk())
        .contains("--add-modules=jdk.incubator.vector")
        .contains("  backend       " + BackendChoice.automatic().reason())
        .contains("  onednn ", "  openblas ");
  }
}
