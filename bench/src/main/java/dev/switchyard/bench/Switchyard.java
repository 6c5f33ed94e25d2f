package dev.switchyard.bench;

import dev.switchyard.bench.adapt.AdaptCommand;
import dev.switchyard.bench.adapt.PredictCommand;
import dev.switchyard.bench.command.StandardOutput;
import dev.switchyard.bench.doctor.DoctorCommand;
import dev.switchyard.bench.experiment.ExperimentCommand;
import dev.switchyard.bench.processes.ExchangeCommand;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.report.ReportCommand;
import dev.switchyard.bench.train.TrainCommand;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code switchyard} command.
 *
 * <p>Exit code 0 is success, 1 a failure while running (a data file that is corrupt, a folder that
 * cannot be written to, too little memory), 2 a command line that makes no sense. In both of the
 * latter the user gets one sentence, and no stack trace unless {@link Failures#STACK_TRACE} asks
 * for it. A command whose output nobody reads any more ends without a word, as tools do.
 */
@Command(
    name = "switchyard",
    mixinStandardHelpOptions = true,
    versionProvider = Switchyard.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = {"Int8 quantized training on CPUs, at work and measured.", ""},
    subcommands = {
      TrainCommand.class,
      AdaptCommand.class,
      PredictCommand.class,
      ExperimentCommand.class,
      ExchangeCommand.class,
      ReportCommand.class,
      DoctorCommand.class
    })
public final class Switchyard {
  private static final int BROKEN_PIPE = 128 + 13; // as shells report a signal SIGPIPE

  /** Filled in by picocli. */
  public Switchyard() {}

  /** Runs the command and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    // Charts are drawn to files only; without this, macOS shows a program in its dock.
    System.setProperty("java.awt.headless", "true");
    StandardOutput output = new StandardOutput();
    System.setOut(output.print());
    int exitCode = run(commandLine(), output, arguments);
    Processes.leave(exitCode);
    System.exit(exitCode);
  }

  /**
   * Runs a command.
   *
   * @param output where it prints to; looked at when it has ended
   * @return the exit code, whatever happens
   */
  static int run(CommandLine command, StandardOutput output, String... arguments) {
    try {
      int exitCode = command.execute(arguments);
      if (exitCode == ExitCode.OK) {
        command.getOut().flush();
        output.check();
      }
      return exitCode;
    } catch (Throwable e) { // errors of the JVM too, for which Picocli does not ask
      CommandLine.ParseResult parsed = command.getParseResult();
      while (parsed != null && parsed.hasSubcommand()) {
        parsed = parsed.subcommand();
      }
      return onFailure(e, parsed == null ? command : parsed.commandSpec().commandLine());
    }
  }

  /** The command with all that is special about its error handling. */
  public static CommandLine commandLine() {
    CommandLine all = new CommandLine(new Switchyard());
    MeasuringCommand.addAll(all);
    return all.setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionStrategy(Switchyard::execute)
        .setParameterExceptionHandler(Switchyard::onUsageError)
        .setExecutionExceptionHandler((error, command, _) -> onFailure(error, command));
  }

  /** Picocli prints help outside of what it guards. */
  private static int execute(CommandLine.ParseResult parsed) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (StandardOutput.Failure e) {
      return onFailure(e, parsed.commandSpec().commandLine());
    }
  }

  private static int onUsageError(ParameterException error, String[] arguments) {
    CommandLine command = error.getCommandLine();
    if (command.getParseResult().originalArgs().isEmpty()) {
      command.usage(command.getErr()); // nothing was asked for: what there is
      return ExitCode.USAGE;
    }
    String name = command.getCommandSpec().qualifiedName();
    print(
        command,
        String.format(
            Locale.ROOT, "%s%s; see %s --help", error.getMessage(), suggestion(error), name));
    return ExitCode.USAGE;
  }

  /** The names that there are and that are near. */
  private static String suggestion(ParameterException error) {
    return error instanceof UnmatchedArgumentException unmatched
            && !unmatched.getSuggestions().isEmpty()
        ? " (did you mean " + String.join(" or ", unmatched.getSuggestions()) + "?)"
        : "";
  }

  private static int onFailure(Throwable error, CommandLine command) {
    if (error instanceof StandardOutput.Failure failure && failure.isClosedPipe()) {
      return BROKEN_PIPE;
    }
    print(command, Failures.sentence(error));
    if (Boolean.getBoolean(Failures.STACK_TRACE)) {
      error.printStackTrace(command.getErr());
      command.getErr().flush();
    }
    return ExitCode.SOFTWARE;
  }

  private static void print(CommandLine command, String sentence) {
    command
        .getErr()
        .println(command.getCommandSpec().qualifiedName() + ": " + Processes.name() + sentence);
    command.getErr().flush();
  }

  /** The version of the jar this class came from. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Switchyard.class.getPackage().getImplementationVersion();
      return new String[] {
        "switchyard " + (version == null ? "(not built as a jar)" : version),
        "JDK " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")"
      };
    }
  }
}
