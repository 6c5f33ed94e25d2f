package dev.switchyard.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs cases with one error after the other, in a JVM whose classes of the library are rewritten.
 * Prints what is wrong, and at the end the numbers of the operations that were run.
 */
final class FaultRuns {
  /** Begins the lines that give the numbers of the operations that were run. */
  static final String ENTERED = "entered ";

  private static final int MOST_PRINTED = 20;

  private final int most;
  private final int round;
  private int cases;
  private int points;
  private int faults;
  private int passed;
  private Throwable failure;
  private int wrong;

  private FaultRuns(int most, int round) {
    this.most = most;
    this.round = round;
  }

  /**
   * The main method.
   *
   * @param args the class of the cases, how many errors of a kind to try in a case at most, and a
   *     number that decides which
   */
  public static void main(String[] args) throws ReflectiveOperationException {
    FaultRuns runs = new FaultRuns(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    Object cases =
        Class.forName(args[0]).asSubclass(FaultCases.class).getDeclaredConstructor().newInstance();
    ((FaultCases) cases).cases().forEach(runs::run);
    Faults.entered().stream().forEach(number -> System.out.println(ENTERED + number));
    System.out.printf(
        Locale.ROOT,
        "%d cases, %d errors of %d, %d wrong%n",
        runs.cases,
        runs.faults,
        runs.points,
        runs.wrong);
    System.exit(runs.wrong == 0 ? 0 : 1); // whatever an error has left running
  }

  private void run(String name, FaultCase tested) {
    cases++;
    String first = fault(tested, Faults.Kind.STACK, Integer.MAX_VALUE); // initializes classes
    if (first != null) {
      say(name, "without an error", first);
      return;
    }
    for (Faults.Kind kind : Faults.Kind.values()) {
      fault(tested, kind, Integer.MAX_VALUE);
      int ofCase = passed;
      points += ofCase;
      int step = Math.max(1, ofCase / most);
      for (int n = 1 + round % step; n <= ofCase; n += step) {
        faults++;
        String outcome = fault(tested, kind, n);
        if (outcome != null) {
          say(name, kind + " " + n + " of " + ofCase, outcome);
        }
      }
    }
  }

  private String fault(FaultCase tested, Faults.Kind kind, int n) {
    FaultCase.Run run = tested.begin();
    boolean failed = false;
    Faults.arm(kind, n);
    try {
      run.operate();
    } catch (StackOverflowError | OutOfMemoryError e) {
      failed = true;
      failure = e;
    } finally {
      passed = Faults.disarm();
    }
    try {
      return run.check(failed);
    } catch (RuntimeException | Error e) {
      return "afterwards " + e + trace(e);
    }
  }

  private void say(String name, String when, String what) {
    wrong++;
    if (wrong <= MOST_PRINTED) {
      System.out.println(
          name + ", " + when + ": " + what + (failure == null ? "" : "\n  after" + trace(failure)));
    }
  }

  private static String trace(Throwable e) {
    List<String> lines = new ArrayList<>();
    for (StackTraceElement at : e.getStackTrace()) {
      if (lines.size() < 8) {
        lines.add("\n    at " + at);
      }
    }
    return String.join("", lines);
  }
}
