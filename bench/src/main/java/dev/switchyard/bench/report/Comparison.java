package dev.switchyard.bench.report;

import dev.switchyard.bench.command.Ratio;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.suites.Suite;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Two folders side by side: what became slower or faster beyond noise, which is where medians are
 * more than 3 % apart and the middle halves of the values do not overlap.
 */
final class Comparison {
  /** Something measured both times. */
  private record Pair(Suite suite, Measurement before, Measurement now) {
    double speed() {
      return now.speedOver(before).median();
    }

    boolean isBeyondNoise() {
      return now.value().differsFrom(before.value());
    }

    /** For people, in a line. */
    String text() {
      return String.format(
          Locale.ROOT,
          "%s %s %s: %s, %s before, %s times as fast",
          suite.key(),
          now.shape(),
          now.contestant(),
          now.text(),
          before.text(),
          Ratio.text(speed()));
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
    pairs.sort(Comparator.comparingDouble(Pair::speed));
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
    return changed().stream().filter(pair -> pair.speed() < 1).map(Pair::text).toList();
  }

  private List<Pair> changed() {
    return pairs.stream().filter(Pair::isBeyondNoise).toList();
  }

  /** In a sentence. */
  String summary() {
    if (pairs.isEmpty()) {
      return "Nothing was measured both here and in " + before.path() + ".";
    }
    long slower = slower().size();
    return String.format(
        Locale.ROOT,
        "Of %d measured here and in %s, %d became slower and %d faster beyond noise.%s",
        pairs.size(),
        before.path(),
        slower,
        changed().size() - slower,
        peers());
  }

  /** Peers do not change with Switchyard: what they show is the machine. */
  private String peers() {
    List<Pair> ofPeers = pairs.stream().filter(pair -> SuiteResults.isPeer(pair.now())).toList();
    return ofPeers.isEmpty()
        ? ""
        : String.format(
            Locale.ROOT,
            " Peers, which tell how the machine fared, are %s times as fast (geometric mean).",
            Ratio.text(
                Math.exp(
                    ofPeers.stream()
                        .mapToDouble(pair -> Math.log(pair.speed()))
                        .average()
                        .orElse(0))));
  }

  Section section() {
    return new Section(
        "Compared with " + before.path(),
        summary()
            + " Beyond noise is where medians are more than 3 % apart and the middle halves of the"
            + " values do not overlap.",
        List.of(),
        new Table(
            List.of("suite", "shape", "contestant", "before", "now", "speed"),
            changed().stream()
                .map(
                    pair ->
                        List.of(
                            pair.suite().key(),
                            pair.now().shape(),
                            pair.now().contestant(),
                            pair.before().text(),
                            pair.now().text(),
                            Ratio.text(pair.speed()) + " x"))
                .toList()));
  }
}
