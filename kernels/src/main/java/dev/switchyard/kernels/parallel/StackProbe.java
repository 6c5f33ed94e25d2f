package dev.switchyard.kernels.parallel;

/**
 * Looks whether the stack has room before anything is begun that an overflow would leave half done:
 * an overflow then ends the probe, and nothing has changed. A level takes 26 bytes where C2 has
 * compiled it, which is the least (106 in the interpreter), and 3 ns.
 */
final class StackProbe {
  /** 4 KB: what a call does beside its tasks is a few frames deep. */
  private static final int LEVELS = 150;

  /** 32 KB: executors and the start of a thread may load classes. */
  private static final int OTHERS_LEVELS = 1_250;

  private StackProbe() {}

  /**
   * For code of ours.
   *
   * @throws StackOverflowError if there is not enough
   */
  static void require() {
    descend(LEVELS);
  }

  /** For code of others. */
  static boolean hasRoomForOthers() {
    try {
      descend(OTHERS_LEVELS);
      return true;
    } catch (StackOverflowError e) {
      return false;
    }
  }

  private static long descend(int levels) {
    return levels == 0 ? 0 : descend(levels - 1) + levels; // no tail call, no loop
  }
}
