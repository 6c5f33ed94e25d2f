package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.page.Figure;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.Findings.Verdict;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.RouterKind;
import dev.switchyard.layers.coda.RouterStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.DoubleStream;

/** What the variants show, as a page. */
final class AdaptReport {
  private static final double LOSS = 0.01; // of accuracy, that speed may cost
  private static final double GAIN = 2; // in speed, that it has to be worth

  private final List<Outcome> outcomes;
  private final List<Classifier> classifiers;
  private final Adaptation adaptation;
  private final LabelledTexts tests;
  private final WordPieceTokenizer tokenizer;

  AdaptReport(
      List<Outcome> outcomes,
      List<Classifier> classifiers,
      Adaptation adaptation,
      LabelledTexts tests,
      WordPieceTokenizer tokenizer) {
    this.outcomes = outcomes;
    this.classifiers = classifiers;
    this.adaptation = adaptation;
    this.tests = tests;
    this.tokenizer = tokenizer;
  }

  Findings findings() {
    List<Section> sections = new ArrayList<>();
    sections.add(
        new Section(
            "Quality and speed",
            "Each point is a variant: the further to the right the more texts it reads in a second,"
                + " in int8; the higher the more of the test texts it tells apart. "
                + Outcome.BRACKETS,
            List.of(chart()),
            table()));
    learned()
        .ifPresent(
            coda -> {
              Classifier classifier = classifiers.get(outcomes.indexOf(coda));
              sections.add(routers(coda, classifier));
              sections.add(
                  new Section(
                      "Which words are computed",
                      "The darker a word, the more blocks of "
                          + coda.variant().title()
                          + " it goes through; the others are carried past by the adapters alone."
                          + " Two test texts of each class.",
                      List.<Figure>of(
                          RoutedWords.of(
                              classifier,
                              tests,
                              adaptation.tests(),
                              tokenizer,
                              adaptation.kernels())),
                      Table.NONE));
            });
    return new Findings(
        "Conditional adapters on a pretrained encoder",
        "A conditional adapter (CoDA, Lei et al. 2023) sends a few tokens of each text through the"
            + " frozen blocks of an encoder and all of them through small adapters. Is it nearly as"
            + " good as the dense encoder, and does it matter which tokens are chosen?",
        verdicts(),
        sections,
        List.of());
  }

  /** The first variant whose router has learned. */
  private Optional<Outcome> learned() {
    return outcomes.stream()
        .filter(outcome -> outcome.variant().router() == RouterKind.SOFT_TOP_K)
        .findFirst();
  }

  private List<Verdict> verdicts() {
    List<Verdict> verdicts = new ArrayList<>();
    Outcome dense = outcomes.getFirst();
    learned()
        .ifPresent(
            coda -> {
              String title = coda.variant().title();
              Interval loss = coda.against(dense);
              verdicts.add(
                  new Verdict(
                      title + " is as good as the dense encoder",
                      loss.isAbove(-LOSS),
                      comparison(coda, dense, loss)
                          + String.format(
                              Locale.ROOT,
                              " It counts as good if it loses less than %.0f point.",
                              100 * LOSS)));
              Interval gain = Interval.ofRatio(coda.int8Rounds(), dense.int8Rounds());
              verdicts.add(
                  new Verdict(
                      title + " is twice as fast as the dense encoder, or faster",
                      gain.isAbove(GAIN),
                      "It reads "
                          + gain.text("%.2f")
                          + " times as many texts a second in int8, measured in turns."));
              outcomes.stream()
                  .filter(outcome -> isControl(outcome.variant(), coda.variant()))
                  .forEach(control -> verdicts.add(againstControl(coda, control)));
            });
    return verdicts;
  }

  private Verdict againstControl(Outcome coda, Outcome control) {
    Interval gain = coda.against(control);
    return new Verdict(
        "a learned choice of tokens is better than "
            + (control.variant().router() == RouterKind.FIRST ? "the first" : "random ones"),
        gain.isAbove(0),
        comparison(coda, control, gain));
  }

  private String comparison(Outcome one, Outcome other, Interval difference) {
    return String.format(
        Locale.ROOT,
        "Of %,d test texts it has %.2f %% right, against %.2f %%. The difference is %s points.",
        tests.count(),
        100 * one.quality().accuracy(),
        100 * other.quality().accuracy(),
        difference.map(part -> 100 * part).text("%+.2f"));
  }

  private static boolean isControl(Variant variant, Variant of) {
    return variant.reduction() == of.reduction()
        && (variant.router() == RouterKind.FIRST || variant.router() == RouterKind.RANDOM);
  }

  private Figure chart() {
    LineChart chart =
        new LineChart("Accuracy against speed", "texts a second, int8", "accuracy, %");
    for (Outcome outcome : outcomes) {
      chart.point(outcome.variant().title(), outcome.int8(), 100 * outcome.quality().accuracy());
    }
    return chart;
  }

  private Table table() {
    List<String> header = new ArrayList<>(List.of("variant"));
    header.addAll(Outcome.HEADER);
    List<List<String>> rows = new ArrayList<>();
    for (Outcome outcome : outcomes) {
      List<String> row = new ArrayList<>(List.of(outcome.variant().title()));
      row.addAll(outcome.cells(outcomes.getFirst()));
      rows.add(row);
    }
    return new Table(header, rows);
  }

  private static Section routers(Outcome coda, Classifier classifier) {
    LineChart places =
        new LineChart(
            "Where in a text tokens are chosen", "place in the text, %", "part chosen, %");
    List<List<String>> rows = new ArrayList<>();
    double[] x =
        DoubleStream.iterate(0.5, p -> p + 1)
            .limit(RouterStatistics.PLACES)
            .map(p -> 100 * p / RouterStatistics.PLACES)
            .toArray();
    int block = 0;
    for (ConditionalAdapter adapter : classifier.encoder().adapters()) {
      for (RouterStatistics statistics : adapter.statistics()) {
        double[] share = new double[RouterStatistics.PLACES];
        for (int place = 0; place < share.length; place++) {
          share[place] = 100 * statistics.selectedShare(place);
        }
        String name = "block " + block;
        places.line(name, x, share);
        rows.add(
            List.of(
                name,
                format("%.2f", statistics.entropy()),
                format("%.1f", statistics.spreadOverEps()),
                format("%.0f", 100 * statistics.saturation()),
                format("%.0f", 100 * statistics.overlapWithFirst())));
      }
      block++;
    }
    return new Section(
        "How the routers of " + coda.variant().title() + " choose",
        "In the tests. An entropy of 0 would be a router that hears no gradient any"
            + " more; one of 1, a router that sees no difference between tokens.",
        List.of(places),
        new Table(
            List.of(
                "",
                "entropy",
                "spread of scores over eps",
                "weights of 1, %",
                "among the first, %"),
            rows));
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }

  /** Routers that no longer learn. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    for (int i = 0; i < outcomes.size(); i++) {
      List<ConditionalAdapter> adapters = classifiers.get(i).encoder().adapters();
      for (int block = 0; block < adapters.size(); block++) {
        String name = outcomes.get(i).variant().name() + ", block " + block + ": ";
        adapters
            .get(block)
            .statistics()
            .forEach(s -> s.warning().ifPresent(warning -> warnings.add(name + warning)));
      }
    }
    return warnings;
  }
}
