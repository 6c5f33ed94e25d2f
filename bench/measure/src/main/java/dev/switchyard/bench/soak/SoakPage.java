package dev.switchyard.bench.soak;

import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What a soak found, for people. */
final class SoakPage {
  private SoakPage() {}

  /**
   * The page and the numbers.
   *
   * @param headline what came out, in a line
   * @param again from a failure to the command that shows it again
   */
  static Findings of(
      SoakRun run, MemoryWatch memory, String headline, Function<SoakRun.Failure, String> again) {
    return new Findings(
        "Switchyard, soaked",
        headline + ".",
        List.of(),
        List.of(failures(run, again), memory(memory), cases(run)),
        memory.csv());
  }

  private static Section failures(SoakRun run, Function<SoakRun.Failure, String> again) {
    List<List<String>> rows =
        run.failures().stream()
            .map(f -> List.of(again.apply(f), f.sentence(), f.drawn().toString()))
            .toList();
    return new Section(
        "Failures",
        rows.isEmpty() ? "None." : "Each is to be seen again with its command.",
        List.of(),
        new Table(List.of("again", "found", "case"), rows));
  }

  private static Section memory(MemoryWatch memory) {
    return new Section(
        "Memory",
        "After a collection each time: " + String.join("; ", memory.summary()) + ".",
        List.of(memory.chart()),
        Table.NONE);
  }

  private static Section cases(SoakRun run) {
    List<List<String>> rows = new ArrayList<>();
    run.counts()
        .forEach(
            (what, values) ->
                values.forEach(
                    (value, count) ->
                        rows.add(
                            List.of(
                                what + ": " + value,
                                Integer.toString(count.cases()),
                                Integer.toString(count.failures())))));
    return new Section(
        "Cases",
        "How many were drawn of each.",
        List.of(),
        new Table(List.of("of", "cases", "failed"), rows));
  }
}
