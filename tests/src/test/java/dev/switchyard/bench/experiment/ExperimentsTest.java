package dev.switchyard.bench.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.NoiseImages;
import dev.switchyard.bench.page.Findings;
import dev.switchyard.bench.page.Page;
import dev.switchyard.bench.page.PageTest;
import dev.switchyard.bench.statistics.Answer;
import dev.switchyard.bench.train.StepTimes;
import dev.switchyard.bench.train.TimedTraining;
import dev.switchyard.bench.train.TrainingResult;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.SAXException;

/** Every experiment in a small size, and how verdicts follow from data. */
class ExperimentsTest {
  /** A transformer that trains in no time. */
  static final PrecisionsExperiment.Size TINY = new PrecisionsExperiment.Size(20, 8, 1, 1);

  @TempDir private Path folder;

  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "noise, 0.01, 'operands,inner,error_variance,relative_error,snr_db'",
    "layerscale, 0.01, 'training,quantity,index,value'",
    "spikes, 0.01, 'method,beta2,rate,batch,rms_spikes,loss_spikes,following,covered,mean_loss'",
    "instability, 0.1, 'step,name,quantity,value'"
  })
  void writesAPageAndItsNumbers(String name, String scale, String header)
      throws IOException, SAXException, ParserConfigurationException {
    Path out = folder.resolve("out");

    CommandRun run = CommandRun.of("experiment", name, "--scale", scale, "--out", out.toString());

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .containsPattern("(Shows here|Does not show here|Cannot be told from so little): ")
        .contains("Written to " + out + ": " + name + ".html, " + name + ".csv");
    String page = Files.readString(out.resolve(name + ".html"));
    assertThat(PageTest.parse(page).getElementsByTagName("svg").getLength()).isPositive();
    assertThat(page).contains("Measured with", "seed", "backend");
    List<String> csv = Files.readAllLines(out.resolve(name + ".csv"));
    assertThat(csv.get(0)).isEqualTo(header);
    assertThat(csv.size()).isGreaterThan(10);
    int columns = header.split(",", -1).length;
    assertThat(csv)
        .allSatisfy(line -> assertThat(line.split(",", -1)).hasSizeGreaterThanOrEqualTo(columns));
  }

  @Test
  void precisionsTakeAsManyStepsAsTheirScaleSays()
      throws IOException, SAXException, ParserConfigurationException {
    Path data = Files.createDirectory(folder.resolve("data"));
    NoiseImages.write(data, 100, 20);
    FashionMnist images = FashionMnist.load(data);
    int precisions = Precision.values().length;
    for (double scale : new double[] {0.3, 1}) {
      Findings findings =
          new PrecisionsExperiment(TINY)
              .run(
                  new Setting(
                      Kernels.create(Parallel.serial()),
                      1,
                      images,
                      1,
                      scale,
                      new KeptParts(folder.resolve("parts" + scale), Map.of(), 1, warning -> {}),
                      () -> false,
                      ProgressDisplay.none()));
      long steps = Math.round(2 * 100 / 20 * scale); // of two epochs
      assertThat(findings.csv()).as("scale %s", scale).hasSize((int) (1 + precisions * steps));
      String page = Page.of(findings, Map.of());
      assertThat(PageTest.parse(page).getElementsByTagName("svg").getLength()).isOne();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "experiment | no experiment is named (expected one of precisions, layerscale, spikes,"
            + " noise, instability)",
        "experiment noises | there is no experiment noises (expected one of precisions, ",
        "experiment noise --scale 0 | --scale is 0.0 (expected more than 0, up to 1000)",
        "experiment noise --threads 0 | --threads is 0 (expected 1 to 1024)"
      })
  void usageErrors(String commandLine, String sentence) {
    CommandRun run = CommandRun.of(commandLine.split(" "));
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(sentence);
  }

  @Test
  void helpNamesTheExperiments() {
    assertThat(CommandRun.of("experiment", "--help").out())
        .contains("precisions", "layerscale", "spikes", "noise", "instability", "--long");
  }

  // Verdicts

  @ParameterizedTest
  @CsvSource({
    "250, 260, 400, 90, SHOWS, SHOWS, SHOWS",
    "250, 320, 252, 110, DOES_NOT_SHOW, DOES_NOT_SHOW, DOES_NOT_SHOW",
    "250, 290, 290, 100.5, CANNOT_TELL, CANNOT_TELL, CANNOT_TELL"
  })
  void precisionsAreJudgedByAccuracyAndTime(
      int half,
      int switchBack,
      int all,
      double millis,
      Answer accurate,
      Answer faster,
      Answer loses) {
    Map<Precision, TimedTraining> results = new EnumMap<>(Precision.class);
    for (Precision precision : Precision.values()) {
      results.put(precision, result(precision, half, 100));
    }
    results.put(Precision.SWITCHBACK, result(Precision.SWITCHBACK, switchBack, millis));
    results.put(Precision.INT8_ALL, result(Precision.INT8_ALL, all, 100));
    Map<Precision, Long> activations = new EnumMap<>(Precision.class);
    results.keySet().forEach(precision -> activations.put(precision, 1L << 20));
    assertThat(PrecisionsExperiment.findings(results, activations).verdicts())
        .extracting(Findings.Verdict::answer)
        .containsExactly(accurate, faster, loses);
  }

  /** A mistake of a precision with more mistakes is most often one of the others too. */
  private static TimedTraining result(Precision precision, int mistakes, double millis) {
    double noise = precision == Precision.SWITCHBACK ? 1 : 0;
    return new TimedTraining(
        new TrainingResult(
            precision.name(),
            2000,
            IntStream.range(0, mistakes).boxed().toList(),
            0.4,
            List.of(2.0, 1.0)),
        new StepTimes(List.of(millis - noise, millis + noise, millis, millis), Map.of("rest", 1.0)),
        1);
  }

  @Test
  void aQuantityLeavesTheRangeOfTheCalmPhase() {
    double[] values = new double[60];
    for (int i = 0; i < 60; i++) {
      values[i] = i % 2; // 0.5 with a deviation of 0.5: the range is -2.5 to 3.5
    }
    assertThat(InstabilityExperiment.leavesRange(values, 40)).isEqualTo(-1);
    values[45] = 9;
    values[46] = 9; // only two in a row
    assertThat(InstabilityExperiment.leavesRange(values, 40)).isEqualTo(-1);
    values[50] = -3;
    values[51] = 4;
    values[52] = Double.NaN;
    assertThat(InstabilityExperiment.leavesRange(values, 40)).isEqualTo(50);
  }

  /** Noise of the same size all the time, but for two high losses. */
  @Test
  void lossSpikesAreWhereTheyBegin() {
    double[] losses = new double[150];
    for (int i = 0; i < 150; i++) {
      losses[i] = 1 + 0.1 * (i % 2);
    }
    losses[100] = 2;
    losses[103] = 2;
    assertThat(SpikesExperiment.lossSpikes(losses)).containsExactly(100);
  }
}
