package dev.switchyard.bench.report;

import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.statistics.Interval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Two folders side by side: what became slower or faster, and of what that cannot be told. */
final class Comparison {
  /** What a ratio of speeds says by its interval. */
  enum Change {
    SLOWER("slower"),
    FASTER("faster"),
    AS_FAST("as fast"),
    CANNOT_TELL("cannot be told"),
    ONE_ROUND("measured once");

    /** Less than this is no change, however little each varies by itself. */
    private static final double NOTICEABLE = 1.03;

    private final String text;

    Change(String text) {
      this.text = text;
    }

    static Change of(Interval speed) {
      if (Double.isInfinite(speed.upper())) {
        return ONE_ROUND;
      }
      if (speed.lower() > 1 / NOTICEABLE && speed.upper() < NOTICEABLE) {
        return AS_FAST;
      }
      if (speed.upper() < 1) {
        return SLOWER;
      }
      return speed.lower() > 1 ? FASTER : CANNOT_TELL;
    }
  }

  /** Something measured both times, and how many times as fast it is now. */
  private record Pair(Suite suite, Measurement before, Measurement now, Interval speed) {
    Pair(Suite suite, Measurement before, Measurement now) {
      this(suite, before, now, now.speedSince(before));
    }

    Change change() {
      return Change.of(speed);
    }

    /** Of one that became slower, in a line. */
    String text() {
      return String.format(
          Locale.ROOT,
          "%s %s %s: %s, %s before, %s times as fast",
          suite.key(),
          now.shape(),
          now.contestant(),
          now.text(),
          before.text(),
          speed.text("%.2f"));
    }
  }

  private final ResultFolder before;
  private final List<Pair> pairs = new ArrayList<>();

  Comparison(ResultFolder now, ResultFolder before) {
    this.before = before;
    for (SuiteResults results : now.suites()) {
      for (Measurement measurement : results.measurements()) {
        earlier(results.suite(), measurement)
            .ifPresent(other -> pairs.add(new Pair(results.suite(), other, measurement)));
      }
    }
    pairs.sort(Comparator.comparingDouble(pair -> pair.speed().estimate()));
  }

  private Optional<Measurement> earlier(Suite suite, Measurement now) {
    return before.suites().stream()
        .filter(results -> results.suite() == suite)
        .flatMap(results -> results.find(now.shape(), now.contestant()).stream())
        .filter(other -> other.threads() == now.threads() && other.unit().equals(now.unit()))
        .findFirst();
  }

  /** A line for each that became slower, the worst first. */
  List<String> slower() {
    return pairs.stream().filter(pair -> pair.change() == Change.SLOWER).map(Pair::text).toList();
  }

  private long count(Change change) {
    return pairs.stream().filter(pair -> pair.change() == change).count();
  }

  /** In a few sentences. */
  String summary() {
    if (pairs.isEmpty()) {
      return "Nothing was measured both here and in " + before.path() + ".";
    }
    return String.format(
            Locale.ROOT,
            "Of %d measured here and in %s, %d became slower, %d faster, %d are as fast within 3"
                + " %%, and of %d it cannot be told.",
            pairs.size(),
            before.path(),
            count(Change.SLOWER),
            count(Change.FASTER),
            count(Change.AS_FAST),
            count(Change.CANNOT_TELL) + count(Change.ONE_ROUND))
        + advice()
        + peers();
  }

  private String advice() {
    if (count(Change.ONE_ROUND) > 0) {
      return " What was measured in one round only has no interval: switchyard bench with --rounds"
          + " 3 or more gives one.";
    }
    return count(Change.CANNOT_TELL) > 0
        ? " More rounds (switchyard bench --rounds) make intervals narrower."
        : "";
  }

  /** Peers do not change with Switchyard: what they show is the machine. */
  private String peers() {
    double[] logarithms =
        pairs.stream()
            .filter(pair -> SuiteResults.isPeer(pair.now()))
            .mapToDouble(pair -> Math.log(pair.speed().estimate()))
            .toArray();
    if (logarithms.length == 0) {
      return "";
    }
    return String.format(
        Locale.ROOT,
        " Peers, which tell how the machine fared, are %s times as fast in the geometric mean.",
        Interval.ofMean(logarithms).map(Math::exp).text("%.2f"));
  }

  Section section() {
    return new Section(
        "Compared with " + before.path(),
        summary()
            + " Slower or faster is what has its whole 95 % interval, in brackets, on one side of"
            + " 1: by chance one in 20 has of those that did not change. The ratio is that of"
            + " geometric means over rounds, each a JVM of its own (Welch 1947).",
        List.of(),
        new Table(
            List.of("suite", "shape", "contestant", "before", "now", "times as fast", "change"),
            pairs.stream()
                .filter(pair -> pair.change() != Change.AS_FAST)
                .map(
                    pair ->
                        List.of(
                            pair.suite().key(),
                            pair.now().shape(),
                            pair.now().contestant(),
                            pair.before().text(),
                            pair.now().text(),
                            pair.speed().cell("%.2f"),
                            pair.change().text))
                .toList()));
  }
}
