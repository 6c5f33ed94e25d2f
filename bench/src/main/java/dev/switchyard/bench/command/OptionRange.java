package dev.switchyard.bench.command;

import java.util.Locale;

/** Checks of numbers on the command line. */
public final class OptionRange {
  private OptionRange() {}

  /**
   * Checks that an option lies within 1 and a limit.
   *
   * @throws IllegalArgumentException if not, in terms of the option
   */
  public static void require(String option, int value, int highest) {
    if (value < 1 || value > highest) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s is %d (expected 1 to %d)", option, value, highest));
    }
  }
}
