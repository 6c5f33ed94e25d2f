package dev.switchyard.bench.adapt;

import dev.switchyard.bench.command.OptionRange;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.bench.data.Utf8Lines;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code switchyard predict}: the class of each line of the input. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Reads texts from the standard input, a line each, and prints for each its class, a tab, and"
          + " how probable that is. What switchyard adapt has learned says which classes there"
          + " are.",
      ""
    })
public final class PredictCommand implements Callable<Integer> {
  /** So many lines are read before their classes are printed. */
  private static final int LINES_AT_A_TIME = 256;

  @Spec private CommandSpec spec;

  @Mixin private PretrainedOptions pretrained;

  @Option(
      names = "--adapter",
      paramLabel = "FILE",
      required = true,
      description = "What switchyard adapt has written, such as coda-r3.safetensors.")
  private Path adapter;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      defaultValue = "SWITCHBACK_Q",
      description = {
        "Precision of the frozen blocks (default: ${DEFAULT-VALUE}).",
        "Any of ${COMPLETION-CANDIDATES}."
      })
  private Precision precision;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute (default: the processors of this machine).")
  private Integer threads;

  /** Filled in by picocli. */
  public PredictCommand() {}

  @Override
  public Integer call() {
    int used = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    try {
      OptionRange.require("--threads", used, 1_024);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    SavedClassifier saved = SavedClassifier.read(adapter);
    BertEncoder base = pretrained.encoder(precision);
    WordPieceTokenizer tokenizer = pretrained.tokenizer();
    Classifier classifier = saved.classifier(base);
    Tape tape = Tape.inference(Kernels.create(Parallel.ofThreads(used)));
    Utf8Lines lines = new Utf8Lines("the standard input", System.in);
    List<String> texts = new ArrayList<>();
    try {
      for (String line = lines.next(); line != null; line = lines.next()) {
        texts.add(line);
        if (texts.size() == LINES_AT_A_TIME || !lines.isReady()) {
          predict(texts, saved, classifier, tokenizer, tape);
          texts.clear();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the standard input cannot be read: " + Reason.of(e), e);
    }
    if (!texts.isEmpty()) {
      predict(texts, saved, classifier, tokenizer, tape);
    }
    return 0;
  }

  private void predict(
      List<String> texts,
      SavedClassifier saved,
      Classifier classifier,
      WordPieceTokenizer tokenizer,
      Tape tape) {
    FloatMatrix scores =
        classifier.scores(
            tape, Tokens.of(texts, tokenizer, saved.maxTokens(), tape.kernels().parallel()));
    tape.kernels().elementwise().softmax(scores, 1, new float[2 * scores.rows()], 0);
    PrintWriter console = spec.commandLine().getOut();
    for (int i = 0; i < texts.size(); i++) {
      int best = Quality.highest(scores, i);
      console.printf(Locale.ROOT, "%s\t%.4f%n", saved.classes().get(best), scores.get(i, best));
    }
    console.flush();
  }
}
