package dev.switchyard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.command.StandardOutput;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Whatever goes wrong is a line and an exit code. */
class FailuresTest {
  private final StringWriter err = new StringWriter();

  /** A command that fails as it is told to. */
  @Command(name = "fail")
  static final class Failing implements Callable<Integer> {
    private final Throwable error;

    Failing(Throwable error) {
      this.error = error;
    }

    @Override
    public Integer call() throws Exception {
      if (error instanceof Error e) {
        throw e;
      }
      throw (Exception) error;
    }
  }

  private int run(CommandLine command, OutputStream target, String... arguments) {
    StandardOutput output = new StandardOutput(target);
    command
        .setOut(new PrintWriter(output.print(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(err, true));
    return Switchyard.run(command, output, arguments);
  }

  static List<Throwable> errors() {
    return List.of(
        new OutOfMemoryError("Java heap space"),
        new IllegalStateException("in a thread", new OutOfMemoryError("Java heap space")),
        new StackOverflowError(),
        new NoClassDefFoundError("some/Class"),
        new AssertionError("two\nlines"),
        new NullPointerException(),
        new IllegalArgumentException("rows is 0"),
        new NoSuchFileException("/some/file"),
        new AccessDeniedException("/some/file"),
        new NotDirectoryException("/some/file"),
        new FileSystemException("/some/file", null, "No space left on device"),
        new EOFException(),
        new MalformedInputException(1),
        new IOException("Input/output error"),
        new UncheckedIOException(new NoSuchFileException("/some/file")));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void isALineAndAnExitCode(Throwable error) {
    CommandLine command = Switchyard.commandLine().addSubcommand(new Failing(error));
    assertThat(run(command, OutputStream.nullOutputStream(), "fail")).isEqualTo(1);
    assertThat(err.toString().lines())
        .singleElement()
        .asString()
        .startsWith("switchyard fail: ")
        .doesNotContain("java.nio", "null")
        .hasSizeGreaterThan("switchyard fail: ".length() + 10);
  }

  @Test
  void tellsWhatToDoAboutTooLittleMemory() {
    assertThat(Failures.sentence(new OutOfMemoryError()))
        .contains("there is not enough memory", "SWITCHYARD_JAVA_OPTS=-Xmx");
  }

  /** Which a larger heap does not mend. */
  @Test
  void tooManyThreadsAreNotTooLittleHeap() {
    String reason = "unable to create native thread: possibly out of memory or process/resource";
    assertThat(Failures.sentence(new IllegalStateException(new OutOfMemoryError(reason))))
        .isEqualTo(reason + " (expected fewer --threads, or a higher limit of the system)");
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void thePropertyAddsTheStackTrace() {
    System.setProperty(Failures.STACK_TRACE, "true");
    try {
      CommandLine command =
          Switchyard.commandLine().addSubcommand(new Failing(new IllegalStateException("x")));
      run(command, OutputStream.nullOutputStream(), "fail");
    } finally {
      System.clearProperty(Failures.STACK_TRACE);
    }
    assertThat(err.toString()).contains("\tat dev.switchyard");
  }

  // The standard output

  /** Takes so many bytes, and then fails. */
  private static final class Full extends OutputStream {
    private final String reason;
    private int room;

    Full(int room, String reason) {
      this.room = room;
      this.reason = reason;
    }

    @Override
    public void write(int b) throws IOException {
      if (room-- <= 0) {
        throw new IOException(reason);
      }
    }
  }

  /** A command that prints a little at a time, and passes over what its writer says. */
  @Command(name = "talk")
  static final class Talking implements Callable<Integer> {
    @Spec private CommandSpec spec;
    private int lines;

    @Override
    public Integer call() {
      PrintWriter out = spec.commandLine().getOut();
      while (lines < 5) {
        lines++;
        out.println("a line");
        out.flush();
      }
      return 0;
    }
  }

  @Test
  void outputThatIsLostIsAFailureWhereverItEnds() {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    assertThat(run(commandLine(new Talking()), whole, "talk")).isZero();
    for (int room = 0; room < whole.size(); room++) {
      err.getBuffer().setLength(0);
      Talking talking = new Talking();
      int exitCode = run(commandLine(talking), new Full(room, "No space left on device"), "talk");
      assertThat(exitCode).as("after %d bytes", room).isEqualTo(1);
      assertThat(err.toString().strip())
          .isEqualTo(
              "switchyard talk: the standard output cannot be written to: No space left on device");
      assertThat(talking.lines).as("goes on after %d bytes", room).isLessThan(room / 7 + 2);
    }
  }

  private static CommandLine commandLine(Talking talking) {
    return Switchyard.commandLine().addSubcommand(talking);
  }

  /** Every command, and what Picocli prints by itself. */
  @Test
  void noCommandLosesItsHelp() {
    for (String name : Switchyard.commandLine().getSubcommands().keySet()) {
      err.getBuffer().setLength(0);
      assertThat(run(Switchyard.commandLine(), new Full(5, "No space"), name, "--help"))
          .as(name)
          .isEqualTo(1);
      assertThat(err.toString().lines())
          .singleElement()
          .asString()
          .endsWith("the standard output cannot be written to: No space");
    }
    assertThat(run(Switchyard.commandLine(), new Full(5, "No space"), "--version")).isEqualTo(1);
  }

  @Test
  void aPipeThatIsClosedEndsTheCommandWithoutAWord() {
    Talking talking = new Talking();
    assertThat(run(commandLine(talking), new Full(8, "Broken pipe"), "talk")).isEqualTo(141);
    assertThat(err.toString()).isEmpty();
    assertThat(talking.lines).isEqualTo(2);
  }

  /** The real one, through the JVM's own streams. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskIsAFailure() throws IOException, InterruptedException {
    CommandProcess command = CommandProcess.start(Path.of("/dev/full"), "adapt", "--help");
    assertThat(command.process().waitFor()).isEqualTo(1);
  }
}
