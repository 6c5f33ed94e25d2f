package dev.switchyard.bench.kernels;

import dev.switchyard.kernels.BackendChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The backends of the library, the fastest first. */
final class Backends {
  static final String REFERENCE = "reference";

  private static final List<String> NAMES = List.of("x86", "vector", REFERENCE);

  private Backends() {}

  /**
   * Those that can run here.
   *
   * @param leftOut receives a sentence for each that cannot
   */
  static List<BackendChoice> available(Consumer<String> leftOut) {
    List<BackendChoice> choices = new ArrayList<>();
    for (String name : NAMES) {
      try {
        choices.add(BackendChoice.named(name));
      } catch (IllegalStateException e) {
        leftOut.accept(e.getMessage());
      }
    }
    return choices;
  }
}
