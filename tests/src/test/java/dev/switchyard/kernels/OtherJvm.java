package dev.switchyard.kernels;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A main class run in a JVM of its own.
 *
 * @param exit how it ended
 * @param output both streams
 */
public record OtherJvm(int exit, String output) {
  /** Runs it with nothing but these flags, on the class path of this JVM. */
  static OtherJvm run(Path directory, Class<?> main, String... flags)
      throws IOException, InterruptedException {
    return finish(directory, command(main, flags));
  }

  /** The command that runs it so. */
  public static List<String> command(Class<?> main, String... flags) {
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    return command;
  }

  /** The launcher of the JDK that runs the tests. */
  public static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** A process whose output is still to be read. */
  public static ProcessBuilder builder(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Flags from outside would change what is tested, and announce themselves.
    builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    return builder;
  }

  /** Runs a command to its end. */
  public static OtherJvm finish(Path directory, List<String> command)
      throws IOException, InterruptedException {
    return finish(directory, command, 100);
  }

  /** Runs a command that may take some time to its end. */
  public static OtherJvm finish(Path directory, List<String> command, int seconds)
      throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process = builder(command).redirectOutput(output.toFile()).start();
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("still running after " + seconds + " s: " + command);
    }
    return new OtherJvm(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }

  /**
   * Whether Ctrl-C is ignored, as a shell makes what it starts in the background do: inherited by
   * whatever this process starts; the bit of signal 2 in a mask that Linux shows.
   */
  public static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readString(status).lines().anyMatch(line -> line.matches("SigIgn:.*[2367abef]"));
  }
}
