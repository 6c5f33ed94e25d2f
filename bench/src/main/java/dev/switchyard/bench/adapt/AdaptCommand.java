package dev.switchyard.bench.adapt;

import dev.switchyard.bench.command.FolderLock;
import dev.switchyard.bench.command.Json;
import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.command.OutputFolder;
import dev.switchyard.bench.command.ProgressDisplay;
import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.bench.page.Page;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharingOptions;
import dev.switchyard.bench.train.Interruption;
import dev.switchyard.bench.train.TrainingRun;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.Gate;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.SoftTopK;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code switchyard adapt}: conditional adapters on a pretrained encoder, beside their controls.
 */
@Command(
    name = "adapt",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Adapts a pretrained encoder to the classes of some texts with conditional adapters (CoDA),"
          + " which compute a few tokens of each text alone, and compares them with the dense"
          + " encoder, with tokens that are chosen blindly, and with adapters alone.",
      "",
      "Ctrl-C saves the training, and --resume goes on with it as if nothing had happened.",
      ""
    },
    footer = {
      "",
      "Written to the output folder:",
      "  adapt.html         a page: quality against speed, and the words computed",
      "  result.json        all numbers, with machine and options",
      "  NAME.safetensors   what each variant has learned, for switchyard predict",
      "  checkpoints        until then, what a training needs to go on"
    })
public final class AdaptCommand implements Callable<Integer> {
  private static final double TEST_SHARE = 0.2;
  private static final String RESULT = "result.json";
  private static final int MAX_TOKENS = 96;

  @Spec private CommandSpec spec;

  @Mixin private PretrainedOptions pretrained;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Texts in UTF-8, a line each: label, tab, text; .gz or not (default: 3,040 mails of the"
              + " SpamAssassin corpus: spam, easy ham, hard ham).")
  private Path data;

  @Option(
      names = "--attention",
      paramLabel = "NAME",
      defaultValue = "CHOSEN_TO_ALL",
      description = {
        "What the chosen tokens attend to (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private HeavyAttention attention;

  @Option(
      names = "--gate",
      paramLabel = "NAME",
      defaultValue = "SCALE",
      description = {
        "Whether what a block adds to a chosen token is multiplied by its weight, or added whole"
            + " with the weight's gradient (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private Gate gate;

  @Option(
      names = "--eps",
      paramLabel = "X",
      defaultValue = "1",
      description = "Temperature of soft top-k (default: ${DEFAULT-VALUE}).")
  private double eps;

  @Option(
      names = "--bottleneck",
      paramLabel = "N",
      defaultValue = "64",
      description = "Features inside an adapter (default: ${DEFAULT-VALUE}).")
  private int bottleneck;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      defaultValue = "SWITCHBACK_Q",
      description = {
        "Precision of the frozen blocks while training and in tests (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private Precision precision;

  @Option(
      names = "--pooling",
      paramLabel = "NAME",
      description = {
        "What the head looks at (default: what 1_Pooling/config.json beside the encoder says, else"
            + " MEAN).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private Pooling pooling;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = {
        "Tokens of a text; the rest is left out (default: "
            + MAX_TOKENS
            + ", or what sentence_bert_config.json beside the encoder says if that is less)."
      })
  private Integer maxTokens;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "16",
      description = "Texts a step (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--light-steps",
      paramLabel = "N",
      defaultValue = "80",
      description =
          "Steps in which the sparse encoder learns the states of the dense one"
              + " (default: ${DEFAULT-VALUE}).")
  private int lightSteps;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "2",
      description = "Passes over the training texts after that (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--rate",
      paramLabel = "X",
      defaultValue = "0.003",
      description = "The highest learning rate (default: ${DEFAULT-VALUE}).")
  private float rate;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "NAME",
      description =
          "Variants beside the dense one, separated by commas (default: all): coda-r3 and coda-r5"
              + " choose every third or fifth token, first and random every third blindly, and"
              + " adapter none.")
  private List<String> only;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute (default: the processors of this machine).")
  private Integer threads;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "What new weights, order and test texts are drawn from (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "switchyard-adapt",
      description = "Folder to write to, created if need be (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--resume",
      description =
          "Go on with a training that was interrupted, with the same options. Without it, a folder"
              + " that holds a training or its result is refused.")
  private boolean resume;

  @Mixin private SharingOptions sharing;

  private Processes processes;

  /** Filled in by picocli. */
  public AdaptCommand() {}

  @Override
  public Integer call() {
    processes = Processes.join(spec);
    AdaptOptions options = options();
    List<Variant> variants = variants();
    LabelledTexts all = data == null ? LabelledTexts.shipped() : LabelledTexts.load(data);
    LabelledTexts.Split texts = all.split(TEST_SHARE, options.seed());
    BertEncoder base = pretrained.encoder(options.precision());
    WordPieceTokenizer tokenizer = pretrained.tokenizer();
    requireFit(options, base, tokenizer);
    Adaptation adaptation = new Adaptation(options, base, tokenizer, texts, processes);
    Map<String, String> identity = identity(adaptation, base);
    processes.requireSame(identity);
    processes.warnOfOtherBackends(adaptation.kernels().backend().name(), this::warn);
    OutputFolder folder = new OutputFolder(out);
    try (FolderLock _ = processes.isFirst() ? folder.lock() : null) {
      Map<Variant, TrainingRun> runs = runs(variants, identity, folder);
      return adapt(adaptation, variants, runs, base, tokenizer);
    }
  }

  private int adapt(
      Adaptation adaptation,
      List<Variant> variants,
      Map<Variant, TrainingRun> runs,
      BertEncoder base,
      WordPieceTokenizer tokenizer) {
    AdaptOptions options = adaptation.options();
    LabelledTexts.Split texts = adaptation.texts();
    List<String> classes = texts.training().classes();
    long start = System.nanoTime();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("machine", MachineInfo.ofThisMachine().inOneLine());
    facts.put("backend", adaptation.kernels().backend().reason());
    facts.put("encoder", pretrained.name());
    facts.put(
        "texts",
        String.format(
            Locale.ROOT,
            "%s, %,d for training and %,d for tests, in %d classes",
            data == null ? "SpamAssassin corpus" : data,
            texts.training().count(),
            texts.test().count(),
            classes.size()));
    options.asMap().forEach((name, value) -> facts.put(name, String.valueOf(value)));
    if (processes.count() > 1) {
      facts.put("processes", processes.count() + ", " + processes.title());
    }
    print(facts.get("machine"));
    print("Encoder: " + facts.get("encoder") + ". Texts: " + facts.get("texts") + ".\n");

    List<Classifier> classifiers = new ArrayList<>();
    // Closed when all is said and written: until then the JVM does not stop.
    try (Interruption interruption =
        new Interruption(processes, spec.commandLine().getErr(), checkpoints())) {
      for (Variant variant : variants) {
        Optional<Classifier> classifier;
        try (ProgressDisplay progress = progress(variant.name())) {
          classifier =
              adaptation.train(
                  variant,
                  runs.get(variant),
                  (step, steps, phase, loss) ->
                      progress.show(
                          step, steps, String.format(Locale.ROOT, "%s, loss %.4f", phase, loss)),
                  interruption);
        }
        if (classifier.isEmpty()) {
          return interruption.leave(processes.console(spec.commandLine().getOut()));
        }
        classifiers.add(classifier.get());
        if (processes.isFirst()) {
          save(variant, classifiers.getLast(), classes, options);
        }
      }
      boolean[] reported = {true};
      processes.onFirst( // the others would disturb what it times
          () ->
              reported[0] =
                  report(
                      adaptation,
                      variants,
                      classifiers,
                      base,
                      tokenizer,
                      facts,
                      start,
                      interruption));
      return processes.any(!reported[0])
          ? interruption.leave(processes.console(spec.commandLine().getOut()))
          : 0;
    }
  }

  private Path checkpoints() {
    return out.resolve("checkpoints");
  }

  /** What must be the same for a training to go on, and in all processes. */
  static Map<String, String> identity(Adaptation adaptation, BertEncoder base) {
    Map<String, String> identity = adaptation.options().identity();
    identity.put("model", base.shape() + ", " + Fingerprint.of(base.parameters()));
    identity.put(
        "data",
        adaptation.texts().training().fingerprint()
            + ", tests: "
            + adaptation.texts().test().fingerprint());
    identity.put("tokenizer", adaptation.tokens());
    return identity;
  }

  /** The trainings of variants: from the beginning, or from where they are. */
  private Map<Variant, TrainingRun> runs(
      List<Variant> variants, Map<String, String> identity, OutputFolder folder) {
    Map<Variant, TrainingRun> runs = new LinkedHashMap<>();
    for (Variant variant : variants) {
      runs.put(
          variant,
          new TrainingRun(checkpoints(), variant.name(), identity, seed, 0, processes, this::warn));
    }
    try {
      if (processes.isFirst() && !resume) {
        folder.requireAbsent(RESULT);
      }
      TrainingRun.prepare(runs.values(), resume);
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
    return runs;
  }

  /** Whether it was not interrupted. */
  private boolean report(
      Adaptation adaptation,
      List<Variant> variants,
      List<Classifier> classifiers,
      BertEncoder base,
      WordPieceTokenizer tokenizer,
      Map<String, String> facts,
      long start,
      Interruption interruption) {
    List<Outcome> outcomes = outcomes(adaptation, variants, classifiers, base, interruption);
    if (outcomes.isEmpty()) {
      return false;
    }
    String time = ProgressDisplay.clock((System.nanoTime() - start) / 1e9);
    facts.put("time", time + (resume ? " after an interruption" : ""));
    AdaptReport report =
        new AdaptReport(outcomes, classifiers, adaptation, adaptation.texts().test(), tokenizer);
    OutputFolder folder = new OutputFolder(out);
    folder.write("adapt.html", Page.of(report.findings(), facts));
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("variants", outcomes.stream().map(o -> o.asMap(outcomes.getFirst())).toList());
    result.put("facts", facts);
    folder.write(RESULT, Json.of(result));
    new OutputFolder(checkpoints()).delete();
    print("\n" + Outcome.table(outcomes) + Outcome.BRACKETS);
    report.warnings().forEach(this::print);
    print("Written to " + out + ": adapt.html, result.json, and what each variant has learned.");
    return true;
  }

  /** None if it was interrupted. */
  private List<Outcome> outcomes(
      Adaptation adaptation,
      List<Variant> variants,
      List<Classifier> classifiers,
      BertEncoder base,
      Interruption interruption) {
    Throughput throughput = new Throughput(adaptation.kernels(), adaptation.tests());
    List<double[]> float32;
    List<double[]> int8;
    try (ProgressDisplay progress = progress("timing")) {
      int[] rounds = {0};
      BooleanSupplier afterRound =
          () -> {
            progress.show(++rounds[0], 2 * Throughput.PASSES, "texts a second");
            return interruption.getAsBoolean();
          };
      float32 = throughput.measure(classifiers, Precision.FLOAT32, afterRound);
      int8 = throughput.measure(classifiers, Precision.SWITCHBACK_Q, afterRound);
    }
    if (interruption.getAsBoolean()) {
      return List.of();
    }
    List<Quality> qualities = classifiers.stream().map(adaptation::test).toList();
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < variants.size(); i++) {
      outcomes.add(
          new Outcome(
              variants.get(i),
              qualities.get(i),
              classifiers.get(i).newParameters() / (double) count(base.parameters()),
              float32.get(i),
              int8.get(i)));
    }
    return outcomes;
  }

  private static long count(List<Parameter> parameters) {
    return parameters.stream().mapToLong(p -> (long) p.rows() * p.cols()).sum();
  }

  private void save(
      Variant variant, Classifier classifier, List<String> classes, AdaptOptions options) {
    Path file = out.resolve(variant.name() + ".safetensors");
    try {
      SavedClassifier.of(classifier, classes, options.maxTokens(), options.pooling()).write(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written: " + Reason.of(e), e);
    }
  }

  private void requireFit(AdaptOptions options, BertEncoder base, WordPieceTokenizer tokenizer) {
    if (options.maxTokens() > base.shape().positions()) {
      throw usageError(
          String.format(
              Locale.ROOT,
              "--max-tokens is %d but the encoder has %d positions (expected no more)",
              options.maxTokens(),
              base.shape().positions()));
    }
    if (tokenizer.vocabularySize() > base.shape().vocabulary()) {
      throw usageError(
          String.format(
              Locale.ROOT,
              "the tokenizer has %d tokens but the encoder embeds %d (expected the tokenizer that"
                  + " belongs to the encoder)",
              tokenizer.vocabularySize(),
              base.shape().vocabulary()));
    }
  }

  private AdaptOptions options() {
    try {
      CodaOptions coda =
          CodaOptions.of(1, AdaptOptions.ofAdapter(precision))
              .withAttention(attention)
              .withGate(gate, SoftTopK.exact(eps))
              .withAdapter(bottleneck, 1, true, 0);
      return new AdaptOptions(
          coda,
          precision,
          pooling == null ? pretrained.pooling() : pooling,
          maxTokens == null ? pretrained.maxTokens(MAX_TOKENS) : maxTokens,
          batch,
          lightSteps,
          epochs,
          rate,
          threads == null ? Runtime.getRuntime().availableProcessors() : threads,
          seed,
          sharing.sharing(processes, batch));
    } catch (IllegalArgumentException e) {
      throw usageError(e.getMessage());
    }
  }

  private List<Variant> variants() {
    List<Variant> all = Variant.all();
    if (only == null) {
      return all;
    }
    for (String name : only) {
      if (all.stream().noneMatch(variant -> variant.name().equals(name))) {
        throw usageError("--only names " + name + ", which is no variant (see the help)");
      }
    }
    return all.stream()
        .filter(variant -> variant.isDense() || only.contains(variant.name()))
        .toList();
  }

  private ProgressDisplay progress(String name) {
    return processes.isFirst() ? ProgressDisplay.of(name, System.err) : ProgressDisplay.none();
  }

  private void warn(String warning) {
    PrintWriter err = processes.console(spec.commandLine().getErr());
    err.println("switchyard adapt: " + warning);
    err.flush();
  }

  private void print(String text) {
    PrintWriter console = processes.console(spec.commandLine().getOut());
    console.println(text);
    console.flush();
  }

  private ParameterException usageError(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }
}
