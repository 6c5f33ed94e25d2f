package dev.switchyard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The {@code switchyard} command in a JVM of its own.
 *
 * @param process what runs it
 * @param output the file that receives what it prints
 */
public record CommandProcess(Process process, Path output) {
  /** Something that a file can tell. */
  public interface Condition {
    boolean holds() throws IOException;
  }

  /** Starts the command. */
  public static CommandProcess start(Path output, String... arguments) throws IOException {
    List<String> command =
        OtherJvm.command(
            Switchyard.class,
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(arguments));
    return new CommandProcess(
        OtherJvm.builder(command).redirectOutput(output.toFile()).start(), output);
  }

  /** Waits until a condition holds, unless the command ends before. */
  public void await(Condition condition) throws IOException, InterruptedException {
    while (process.isAlive() && !condition.holds()) {
      process.waitFor(2, TimeUnit.MILLISECONDS);
    }
  }

  /** Presses Ctrl-C, after which the command has to end and to say where its work is saved. */
  public void interrupt(Path saved) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(output)).isEqualTo(130);
    assertThat(output)
        .content()
        .contains(
            "Interrupted. What is done is saved in "
                + saved
                + ": the same command with --resume goes on with it.");
  }
}
