package dev.switchyard.bench.processes;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options of a command that all its processes must have in common. Those are all, and so is one
 * that is new, but for the few here that change neither what is computed nor what processes do
 * together.
 */
public final class SharedOptions {
  /** Which each process may have for itself. */
  private static final Set<String> OWN =
      Set.of(
          "--threads", // results have the same bits for any number
          "--data", // other machines have other paths; what is read there is compared
          "--model",
          "--tokenizer",
          "--help",
          "--version");

  private SharedOptions() {}

  /**
   * The values of options.
   *
   * @param command after its command line was read
   * @return by the longest name of the option
   */
  public static Map<String, String> of(CommandSpec command) {
    Map<String, String> values = new TreeMap<>();
    for (OptionSpec option : command.options()) {
      if (!isOwn(option)) {
        values.put(option.longestName(), text(option.getValue()));
      }
    }
    return values;
  }

  /** Whether each process may have another value. */
  public static boolean isOwn(OptionSpec option) {
    return OWN.contains(option.longestName());
  }

  private static String text(Object value) {
    return value instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(value);
  }
}
