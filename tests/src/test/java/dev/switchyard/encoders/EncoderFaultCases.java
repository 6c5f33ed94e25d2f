package dev.switchyard.encoders;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.Outcomes;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.FailingStep;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SmallTraining;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.coda.AdapterFile;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Encoders and tokenizers: what is read again, what is embedded again, and how encoders learn. */
public final class EncoderFaultCases implements FaultCases {
  private static final String TEXT = "The lunch offers! A";
  private static final int[] IDS = {1, 6, 2, 1, 4};
  private static final Sequences TEXTS = Sequences.ofLengths(3, 2);
  private static final CodaOptions OPTIONS =
      CodaOptions.of(2, Precision.FLOAT32).withAdapter(2, 1, true, 0);

  private final Kernels kernels;
  private final Path folder = Outcomes.of(() -> Files.createTempDirectory("encoders"));
  private final Path model = Outcomes.of(() -> TinyModel.write(folder));
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  public EncoderFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    addTokenizers();
    addModels();
    addSentences();
    cases.put(
        "an encoder that learns",
        new FailingStep(() -> new Learning(encoder(Precision.SWITCHBACK))));
    cases.put("an adapted encoder that learns", new FailingStep(() -> new Learning(adapted(1))));
    cases.put("adapting an encoder", new WholeChange(Adapting::new));
    cases.put("loading an encoder's adapters", new WholeChange(Loading::new));
    addAdapted();
    return cases;
  }

  private void add(String name, Callable<?> call) {
    cases.put(name, new RepeatedCall(call));
  }

  private BertEncoder encoder(Precision precision) {
    return Outcomes.of(() -> TinyModel.read(model, precision));
  }

  private ConditionalEncoder adapted(long seed) {
    ConditionalEncoder encoder =
        new ConditionalEncoder(encoder(Precision.FLOAT32), OPTIONS, new CounterRandom(seed));
    Fixtures.disturb(encoder.learned(), 0.3f);
    return encoder;
  }

  private float[] states(TokenEncoder encoder) {
    return encoder.forward(Tape.none(kernels), IDS, TEXTS).value().toArray();
  }

  private static Object values(List<Parameter> parameters) {
    return parameters.stream().map(p -> p.value().toArray()).toArray();
  }

  private void addTokenizers() {
    Path json = folder.resolve("tokenizer.json");
    Path words = folder.resolve("vocab.txt");
    Outcomes.of(() -> Files.writeString(words, "[UNK]\n[CLS]\n[SEP]\nlunch\n##s\n"));
    add("reading a tokenizer", () -> WordPieceTokenizer.read(json).encode(TEXT));
    add("reading a vocabulary", () -> WordPieceTokenizer.read(words).encode(TEXT));
    WordPieceTokenizer tokenizer = Outcomes.of(() -> WordPieceTokenizer.read(json));
    add("tokens", () -> tokenizer.encode(TEXT, 5));
    add("what a tokenizer has", () -> tokenizer.piece(4) + tokenizer.specialTokens());
    WordPieceTokenizer normalized =
        new TokenizerJson(TinyModel.WORDS)
            .put(
                "added_tokens",
                "["
                    + TokenizerJson.special("lunch", 8)
                        .replace("\"normalized\":false", "\"normalized\":true")
                    + "]")
            .ours();
    add("tokens in normalized text", () -> normalized.encode(TEXT));
  }

  private void addModels() {
    Path onnx = folder.resolve("model.onnx");
    BertShape shape = new BertShape(4, 3, 1, 4, 2, 4, 1, 1e-12f);
    Outcomes.of(() -> Files.write(onnx, new TinyOnnx(new TinyBert(shape), "bert.", false).bytes()));
    for (Path file : List.of(model, onnx)) {
      add(
          "reading " + file.getFileName(),
          () -> values(BertEncoder.read(file, Precision.FLOAT32).parameters()));
    }
    BertEncoder encoder = encoder(Precision.FLOAT32);
    add("states", () -> states(encoder));
    add(
        "states of pairs of texts",
        () -> {
          int[] types = {0, 0, 1, 0, 1};
          return encoder.forward(Tape.none(kernels), IDS, types, TEXTS).value().toArray();
        });
    add("an encoder's parts", () -> encoder.parts().stream().map(Model::summary).toArray());
  }

  private void addSentences() {
    Path pooling = folder.resolve("1_Pooling");
    Outcomes.of(
        () -> {
          Files.createDirectory(pooling);
          Files.writeString(pooling.resolve("config.json"), "{\"pooling_mode_cls_token\":true}");
          return Files.writeString(
              folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\":7}");
        });
    add(
        "what a model's folder says",
        () -> SentenceEncoder.pooling(model) + " " + SentenceEncoder.maxTokens(model));
    WordPieceTokenizer tokenizer =
        Outcomes.of(() -> WordPieceTokenizer.read(folder.resolve("tokenizer.json")));
    SentenceEncoder sentences =
        new SentenceEncoder(tokenizer, encoder(Precision.SWITCHBACK), Pooling.MEAN, kernels);
    add("the embedding of a text", () -> sentences.embed(TEXT));
    add("embeddings", () -> sentences.embed(List.of(TEXT, "a", "free code")).toArray());
    add("features", sentences::features);
  }

  private void addAdapted() {
    ConditionalEncoder encoder = adapted(1);
    add(
        "an adapted encoder's parts",
        () ->
            new Object[] {
              encoder.parts().stream().map(Model::summary).toArray(),
              values(encoder.added()),
              values(encoder.learned()),
              encoder.shape().depth()
            });
    add("an adapted encoder with less work", () -> states(encoder.withReduction(3)));
    add(
        "an adapted encoder's file",
        () -> {
          AdapterFile file = encoder.toFile(List.of(), 3, Map.of("a", "b"));
          return file.weights().values().stream().map(FloatMatrix::toArray).toArray();
        });
  }

  /** One batch. */
  private final class Learning extends SmallTraining {
    Learning(TokenEncoder encoder) {
      super(
          Tape.recording(kernels),
          encoder.parameters(),
          tape ->
              new MeanSquaredError()
                  .forward(
                      tape,
                      encoder.forward(tape, IDS, TEXTS),
                      FloatMatrix.allocate(IDS.length, encoder.shape().features())));
    }
  }

  /** An encoder of which no block may stay frozen for adapters that were never made. */
  private final class Adapting implements WholeChange.Subject {
    private final BertEncoder base = encoder(Precision.FLOAT32);

    @Override
    public void change() {
      new ConditionalEncoder(base, OPTIONS, new CounterRandom(1));
    }

    @Override
    public Object state() {
      return base.parameters().stream().map(Parameter::frozen).toArray();
    }
  }

  private final class Loading implements WholeChange.Subject {
    private final ConditionalEncoder encoder = adapted(1);
    private final AdapterFile file;

    Loading() {
      ConditionalEncoder other = adapted(2);
      Fixtures.disturb(other.learned(), 0.1f);
      file = other.toFile(List.of(), 1, Map.of());
    }

    @Override
    public void change() throws IOException {
      encoder.load(file, List.of());
    }

    @Override
    public Object state() {
      return values(encoder.learned());
    }
  }
}
