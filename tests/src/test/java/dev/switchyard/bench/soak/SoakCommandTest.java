package dev.switchyard.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.page.PageTest;
import dev.switchyard.bench.soak.LinearLayers.Products;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.xml.sax.SAXException;

/** That a soak runs, that its faults happen, and that its checks find what is wrong. */
class SoakCommandTest {
  private static final long SEED = 11;
  private static final int THREADS = 3;

  @TempDir private Path folder;

  private static SoakCase first(Predicate<SoakCase> wanted) {
    return LongStream.range(0, 10_000)
        .mapToObj(number -> SoakCase.draw(SEED, number, THREADS))
        .filter(wanted)
        .findFirst()
        .orElseThrow();
  }

  private static Kernels kernels(String backend) {
    return Kernels.create(BackendChoice.named(backend), Parallel.serial());
  }

  @Tag("full")
  @Test
  void runsAndWritesAPage() throws IOException, SAXException, ParserConfigurationException {
    Path out = folder.resolve("out");
    CommandRun run =
        CommandRun.of("soak", "--minutes", "0.02", "--seed", "11", "--out", out.toString());
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    assertThat(run.out())
        .containsPattern("\\d+ cases of \\d+ steps in \\d+:\\d\\d with seed 11: 0 failed")
        .contains("faults: ", "heap in use, MiB: ", "Written to " + out + ": soak.html, soak.csv");
    Document page = PageTest.parse(Files.readString(out.resolve("soak.html")));
    assertThat(page.getDocumentElement().getTextContent())
        .contains("0 failed", "None.", "precision: ", "Memory of the process");
    assertThat(Files.readAllLines(out.resolve("soak.csv")))
        .hasSizeGreaterThan(1)
        .first()
        .isEqualTo("minutes,heap_mib,resident_mib,threads,files");
  }

  @Test
  void oneCaseIsSeenAgain() {
    CommandRun run = CommandRun.of("soak", "--seed", "11", "--threads", "3", "--case", "5");
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    assertThat(run.out())
        .startsWith("case 5: " + SoakCase.draw(SEED, 5, THREADS))
        .endsWith("as it should be" + System.lineSeparator());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--minutes 0 | --minutes is 0.0 (expected more than 0, up to 100000)",
        "--case 1 | --case needs its --seed",
        "--case -1 --seed 1 | --case is -1 (expected 0 or more)",
        "--threads 0 | --threads is 0 (expected 1 to 1024)"
      })
  void refusesWhatMakesNoSense(String arguments, String message) {
    CommandRun run = CommandRun.of(("soak " + arguments).split(" ", -1));
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message);
  }

  @Test
  void everythingIsDrawn() {
    List<SoakCase> cases =
        LongStream.range(0, 2000).mapToObj(n -> SoakCase.draw(SEED, n, THREADS)).toList();
    Set<Fault> faults = EnumSet.of(Fault.NONE);
    faults.addAll(Fault.possible());
    assertThat(cases).extracting(SoakCase::fault).containsOnly(faults.toArray(Fault[]::new));
    assertThat(cases).extracting(SoakCase::precision).contains(Precision.values());
    assertThat(cases).extracting(SoakCase::kind).contains(SoakModel.Kind.values());
    assertThat(cases)
        .extracting(SoakCase::backend)
        .containsOnly(SoakCase.backends().toArray(String[]::new));
    assertThat(cases).extracting(SoakCase::threads).containsOnly(1, 2, 3);
    assertThat(SoakCase.draw(SEED, 7, THREADS)).isEqualTo(cases.get(7));
  }

  static Stream<Fault> faults() {
    return Fault.possible().stream();
  }

  @Tag("full")
  @ParameterizedTest
  @MethodSource("faults")
  void trainingsGoOnAfterFaults(Fault fault) throws InterruptedException {
    assertRight(first(drawn -> drawn.fault() == fault && drawn.steps() == 2));
  }

  @ParameterizedTest
  @EnumSource
  void modelsComputeWhatTheReferenceDoes(SoakModel.Kind kind) throws InterruptedException {
    for (Precision precision : List.of(Precision.FLOAT32, Precision.SWITCHBACK)) {
      assertRight(
          first(
              drawn ->
                  drawn.fault() == Fault.NONE
                      && drawn.kind() == kind
                      && drawn.precision() == precision
                      && drawn.steps() == 2));
    }
  }

  private static void assertRight(SoakCase drawn) throws InterruptedException {
    try (SoakRun run = new SoakRun()) {
      run.run(drawn);
      assertThat(run.failures()).isEmpty();
      assertThat(run.cases()).isOne();
      assertThat(run.counts().get("fault")).containsOnlyKeys(drawn.fault().toString());
    }
  }

  // What is wrong is found

  @ParameterizedTest
  @EnumSource
  void anotherProductIsFound(Precision precision) throws WrongResult {
    Linear layer = new Linear("l", 7, 5, precision, new CounterRandom(1));
    FloatMatrix x = Fixtures.gaussian(11, 7, 2);
    FloatMatrix gy = Fixtures.gaussian(11, 5, 3);
    Products right = LinearLayers.compute(layer, x, gy, kernels("reference"));
    LinearLayers.compare(layer, x, gy, right, right);
    List.of(
            new Products(off(right.y()), right.gx(), right.gw()),
            new Products(right.y(), off(right.gx()), right.gw()),
            new Products(right.y(), right.gx(), off(right.gw())))
        .forEach(
            wrong ->
                assertThatThrownBy(() -> LinearLayers.compare(layer, x, gy, right, wrong))
                    .isInstanceOf(WrongResult.class)
                    .hasMessageMatching("l in " + precision + " alone, (Y|dX|dW) is .* at .*"));
  }

  private static FloatMatrix off(FloatMatrix matrix) {
    FloatMatrix off = matrix.copy();
    off.set(2, 3, off.get(2, 3) + 1e-3f);
    return off;
  }

  @Test
  void whatAKilledProcessLeftIsCompared() throws IOException, WrongResult {
    SoakCase drawn = first(c -> c.fault() == Fault.KILL && c.steps() == 2);
    Trainee trainee = new Trainee(drawn, kernels(drawn.backend()));
    trainee.step();
    FaultyTraining training = new FaultyTraining(drawn, folder);
    trainee.checkpoint().write(training.file());
    training.resume();

    Path stray = Files.createFile(folder.resolve("half a file"));
    assertThatThrownBy(() -> new FaultyTraining(drawn, folder).resume())
        .isInstanceOf(WrongResult.class)
        .hasMessage("a killed process left [" + stray + "]");
    Files.delete(stray);

    trainee.parameters().getFirst().value().data()[0] += 0.5f;
    trainee.checkpoint().write(training.file());
    assertThatThrownBy(() -> new FaultyTraining(drawn, folder).resume())
        .isInstanceOf(WrongResult.class)
        .hasMessageStartingWith("what a killed process left: weight ");
  }

  @Test
  void failuresAreCountedAndToldHowToSeeAgain() throws InterruptedException {
    SoakCase drawn = first(c -> c.fault() == Fault.NONE);
    SoakCase broken =
        new SoakCase(
            SEED,
            drawn.number(),
            THREADS,
            drawn.kind(),
            drawn.precision(),
            "none",
            1,
            true,
            2,
            Fault.NONE);
    try (SoakRun run = new SoakRun()) {
      run.run(broken);
      run.run(drawn);
      assertThat(run.failures()).hasSize(1);
      assertThat(run.failures().getFirst().sentence())
          .startsWith("threw java.lang.IllegalArgumentException: unknown backend \"none\"");
      assertThat(run.counts().get("fault"))
          .containsEntry(Fault.NONE.toString(), new SoakRun.Count(2, 1));
    }
  }

  @Test
  void differencesAreFound() {
    FloatMatrix expected = FloatMatrix.of(new float[] {1, 2, 3, 0}, 2, 2);
    FloatMatrix actual = FloatMatrix.of(new float[] {1, 2, 3, -0f}, 2, 2);
    assertThatThrownBy(() -> Results.requireSame("y", expected, actual))
        .hasMessage("y is -0.0 at (1, 1) (expected the same bits as 0.0)");
    actual.set(0, 1, Float.NaN);
    double[][] bounds = {{1, 1}, {1, 1}};
    assertThatThrownBy(() -> Results.requireWithin("y", bounds, expected, actual))
        .hasMessage("y is NaN at (0, 1) (expected 2.0, give or take 1.00)");
    assertThatThrownBy(
            () -> Results.requireClose("", 1, Map.of("y", expected), Map.of("y", actual)))
        .hasMessageStartingWith(": y is off by NaN of its size");
    assertThatThrownBy(() -> Results.requireSame("", Map.of("y", expected), Map.of()))
        .hasMessage(" has [] (expected [y])");
    assertThatThrownBy(() -> Results.requireSame("y", expected, FloatMatrix.allocate(2, 3)))
        .hasMessage("y is 2x3 (expected 2x2)");
  }

  @ParameterizedTest
  @CsvSource({"0, true", "0.2, true", "1, false"})
  void growingMemoryIsFound(double mibAMinute, boolean flat) {
    MemoryWatch memory = new MemoryWatch();
    IntStream.range(0, 40)
        .mapToObj(
            i -> new MemoryWatch.Sample(i, 20 + mibAMinute * i, 200 + i % 2 * 9 * i, 9, Double.NaN))
        .forEach(memory::add);
    assertThat(memory.canTell()).isTrue();
    assertThat(memory.isFlat()).isEqualTo(flat);
    assertThat(memory.summary()).hasSize(3); // without files
    assertThat(memory.summary().getFirst().endsWith("(grows)")).isEqualTo(!flat);
  }
}
