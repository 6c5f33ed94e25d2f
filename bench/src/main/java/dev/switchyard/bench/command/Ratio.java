package dev.switchyard.bench.command;

import dev.switchyard.bench.statistics.Interval;
import java.util.Locale;

/** How many times as fast, for people. */
public final class Ratio {
  private Ratio() {}

  /** Two decimals, or two digits of what is smaller: nothing takes no time at all. */
  public static String text(double ratio) {
    return String.format(Locale.ROOT, format(ratio), ratio);
  }

  /** Likewise, with its interval in brackets. */
  public static String cell(Interval ratio) {
    return ratio.cell(format(ratio.estimate()));
  }

  private static String format(double ratio) {
    int decimals = ratio > 0 && ratio < 0.1 ? 1 - (int) Math.floor(Math.log10(ratio)) : 2;
    return "%." + Math.min(decimals, 12) + "f";
  }
}
