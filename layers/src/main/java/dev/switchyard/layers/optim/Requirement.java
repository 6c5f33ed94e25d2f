package dev.switchyard.layers.optim;

/** Checks of hyper-parameters. */
final class Requirement {
  private Requirement() {}

  static void that(String name, float value, boolean holds, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + " (expected " + expected + ")");
    }
  }

  static void notNegative(String name, float value) {
    that(name, value, value >= 0 && Float.isFinite(value), "0 or more");
  }

  /** A decay of a moment. */
  static void beta(String name, float value) {
    that(name, value, value >= 0 && value < 1, "0 or more, less than 1");
  }
}
