package dev.switchyard.faults;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the classes that {@link FaultyClasses} has rewritten call before each call and each
 * allocation of theirs: once armed, one of these fails.
 */
public final class Faults {
  /** What fails. */
  public enum Kind {
    /**
     * One call of the thread that has begun the operation: its stack ends there, and is longer for
     * whoever catches that. Those that help it begin with a stack of their own.
     */
    STACK,
    /** One allocation on any thread, or one call of the JDK that may allocate. */
    MEMORY,
    /** That one and all after it, until the operation has ended: the heap stays full. */
    FULL_HEAP
  }

  private static final AtomicInteger LEFT = new AtomicInteger();
  private static final BitSet ENTERED = new BitSet();
  private static volatile Kind armed;
  private static Thread thread;
  private static volatile Places places; // null while nobody wants them

  private Faults() {}

  /** Lets the n-th point that a kind can fail at fail, counted from 1. */
  static void arm(Kind kind, int n) {
    arm(kind, n, null);
  }

  /** The same, and notes the places that are passed. */
  static void arm(Kind kind, int n, Places passed) {
    LEFT.set(n);
    places = passed;
    thread = Thread.currentThread();
    armed = kind;
  }

  /**
   * Ends that.
   *
   * @return how many points have been passed, if armed with the largest int
   */
  static int disarm() {
    armed = null;
    return Integer.MAX_VALUE - LEFT.get();
  }

  /** The public methods that were entered while armed, by their number in the list. */
  static BitSet entered() {
    return (BitSet) ENTERED.clone();
  }

  // What rewritten classes call

  /** A public method of an exported class begins. */
  public static void entered(int method) {
    if (armed != null) {
      synchronized (ENTERED) {
        ENTERED.set(method);
      }
    }
  }

  /** A call follows. */
  public static void call() {
    if (armed == Kind.STACK && Thread.currentThread() == thread && pass() == 0) {
      throw new StackOverflowError("injected");
    }
  }

  /** An allocation follows. */
  public static void allocation() {
    Kind kind = armed;
    if (kind == Kind.STACK || kind == null) {
      return;
    }
    int left = pass();
    if (left == 0 || (left < 0 && kind == Kind.FULL_HEAP)) {
      throw new OutOfMemoryError("injected");
    }
  }

  /** Counts; gives how many are left. */
  private static int pass() {
    int left = LEFT.decrementAndGet();
    Places noting = places;
    if (noting != null) {
      noting.pass(Integer.MAX_VALUE - left);
    }
    return left;
  }
}
