package dev.switchyard.bench;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * A run of the {@code switchyard} command.
 *
 * @param exitCode 0 for success
 * @param out what it printed
 * @param err what it complained about
 */
public record CommandRun(int exitCode, String out, String err) {
  /** Runs the command in this JVM. */
  public static CommandRun of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        Switchyard.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(arguments);
    return new CommandRun(exitCode, out.toString(), err.toString());
  }
}
