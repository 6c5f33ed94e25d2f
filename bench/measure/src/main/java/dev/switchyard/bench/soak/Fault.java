package dev.switchyard.bench.soak;

import java.util.Arrays;
import java.util.List;

/** What goes wrong in the course of a case, on purpose. */
enum Fault {
  /** Nothing: all is compared with the reference backend instead. */
  NONE("nothing"),

  /** The thread that trains and writes checkpoints is interrupted. */
  INTERRUPT("an interrupted thread"),

  /** The executor that lends threads is shut down. */
  CLOSED_EXECUTOR("a closed executor"),

  /** The heap is full. */
  ALLOCATION("a failed allocation"),

  /** The operating system gives no executable memory. */
  EXECUTABLE_MEMORY("refused executable memory"),

  /** A file cannot grow any more. */
  FULL_DISK("a full disk"),

  /** The process is killed. */
  KILL("a killed process");

  private static final List<Fault> POSSIBLE =
      Arrays.stream(values()).filter(fault -> fault != NONE && fault.isPossible()).toList();

  private final String words;

  Fault(String words) {
    this.words = words;
  }

  /** Those that can be made to happen on this machine. */
  static List<Fault> possible() {
    return POSSIBLE;
  }

  private boolean isPossible() {
    return switch (this) {
      case EXECUTABLE_MEMORY -> SystemLimits.canRefuseExecutableMemory() && SoakCase.emitsCode();
      case FULL_DISK -> SystemLimits.canLimitFiles();
      default -> true;
    };
  }

  /** Whether it takes a process of its own, since it cannot be undone, or could harm this one. */
  boolean isInProcessOfItsOwn() {
    return switch (this) {
      case NONE, INTERRUPT, CLOSED_EXECUTOR -> false;
      case ALLOCATION, EXECUTABLE_MEMORY, FULL_DISK, KILL -> true;
    };
  }

  @Override
  public String toString() {
    return words;
  }
}
