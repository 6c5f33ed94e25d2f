package dev.switchyard.faults;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Runs cases with one error after the other, in a JVM whose classes of the library are rewritten.
 * Prints what is wrong, and at the end the numbers of the operations that were run.
 */
final class FaultRuns {
  /** Begins the lines that give the numbers of the operations that were run. */
  static final String ENTERED = "entered ";

  /** To be given as how many errors to try: one at the first and at the last of each place. */
  static final int EVERY_PLACE = 0;

  private static final int MOST_PRINTED = 20;

  private final int most;
  private final PrintStream out;
  private int cases;
  private int points;
  private int faults;
  private int passed;
  private Throwable failure;
  private int wrong;

  FaultRuns(int most, PrintStream out) {
    this.most = most;
    this.out = out;
  }

  /**
   * The main method.
   *
   * @param args how many errors of a kind to try in a case at most, or 1 for one error of the kinds
   *     in turn, or {@link #EVERY_PLACE}; and the classes of the cases
   */
  public static void main(String[] args) throws ReflectiveOperationException {
    FaultRuns runs = new FaultRuns(Integer.parseInt(args[0]), System.out);
    for (String name : List.of(args).subList(1, args.length)) {
      FaultCases cases =
          Class.forName(name).asSubclass(FaultCases.class).getDeclaredConstructor().newInstance();
      cases.cases().forEach(runs::run);
    }
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

  /** The errors that had another outcome than they should. */
  int wrong() {
    return wrong;
  }

  void run(String name, FaultCase tested) {
    Faults.Kind[] all = Faults.Kind.values();
    List<Faults.Kind> kinds = most == 1 ? List.of(all[cases % all.length]) : List.of(all);
    cases++;
    String first = fault(tested, kinds.getFirst(), Integer.MAX_VALUE, null); // initializes classes
    if (first != null) {
      say(name, "without an error", first);
      return;
    }
    for (Faults.Kind kind : kinds) {
      Places places = most == EVERY_PLACE ? new Places() : null;
      if (most != 1) {
        fault(tested, kind, Integer.MAX_VALUE, places);
      }
      int ofCase = passed;
      points += ofCase;
      (places == null ? chosen(ofCase, most) : places.points())
          .forEach(
              n -> {
                faults++;
                String outcome = fault(tested, kind, n, null);
                if (outcome != null) {
                  say(name, kind + " " + n + " of " + ofCase, outcome);
                }
              });
    }
  }

  /**
   * Which points fail: each, or if there are too many, an eighth from the first on, an eighth to
   * the last, and between them some that lie evenly.
   */
  static IntStream chosen(int points, int most) {
    if (points <= most) {
      return IntStream.rangeClosed(1, points);
    }
    int edge = most / 8;
    int between = most - 2 * edge;
    long inner = points - 2L * edge;
    IntStream spread =
        IntStream.range(0, between)
            .map(i -> edge + 1 + (int) ((2L * i + 1) * inner / (2L * between)));
    return IntStream.concat(
        IntStream.concat(IntStream.rangeClosed(1, edge), spread),
        IntStream.rangeClosed(points - edge + 1, points));
  }

  private String fault(FaultCase tested, Faults.Kind kind, int n, Places places) {
    FaultCase.Run run = tested.begin();
    boolean failed = false;
    failure = null;
    Faults.arm(kind, n, places);
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
      out.println(
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
