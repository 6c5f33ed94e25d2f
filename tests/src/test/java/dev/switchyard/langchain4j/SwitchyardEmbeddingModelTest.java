package dev.switchyard.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.ConditionalEncoder;
import dev.switchyard.encoders.ModelFileException;
import dev.switchyard.encoders.SentenceEncoder;
import dev.switchyard.encoders.TinyModel;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users of langchain4j get, through its interface. */
class SwitchyardEmbeddingModelTest {
  private static final List<TextSegment> SEGMENTS =
      Stream.of("free money !", "lunch", "the meeting the code the lunch a code", "offers", "?")
          .map(TextSegment::from)
          .toList();

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = TinyModel.write(folder);
  }

  private SwitchyardEmbeddingModel model(Precision precision) throws IOException {
    return SwitchyardEmbeddingModel.read(file, folder.resolve("tokenizer.json"), precision);
  }

  @Test
  void embedsAsTheSentenceEncoderDoes() throws IOException {
    SentenceEncoder sentences =
        new SentenceEncoder(
            WordPieceTokenizer.read(folder.resolve("tokenizer.json")),
            BertEncoder.read(file, Precision.FLOAT32),
            Pooling.MEAN,
            Kernels.create(Parallel.ofThreads(Runtime.getRuntime().availableProcessors())));
    try (SwitchyardEmbeddingModel model = model(Precision.FLOAT32)) {
      List<Embedding> embeddings = model.embedAll(SEGMENTS).content();

      assertThat(embeddings).hasSameSizeAs(SEGMENTS);
      for (int i = 0; i < embeddings.size(); i++) {
        float[] expected = sentences.embed(SEGMENTS.get(i).text());
        assertThat(embeddings.get(i).vector()).isEqualTo(expected);
      }
    }
  }

  @Test
  void answersEveryMethodOfTheInterface() throws IOException {
    try (SwitchyardEmbeddingModel closeable = model(Precision.SWITCHBACK_Q)) {
      EmbeddingModel model = closeable;
      Embedding embedding = model.embed("free money").content();

      assertThat(model.dimension()).isEqualTo(8);
      assertThat(embedding.dimension()).isEqualTo(8);
      assertThat(model.modelName()).isEqualTo("model.safetensors");
      assertThat(model.embed(TextSegment.from("free money")).content()).isEqualTo(embedding);
      assertThat(
              model
                  .embed(EmbeddingRequest.builder().inputs(List.of()).input("free money").build())
                  .embeddings())
          .containsExactly(embedding);
      assertThat(model.embedAll(List.of()).content()).isEmpty();
    }
  }

  /**
   * As langchain4j's own models count them: without those that begin and end a text, however many
   * there are.
   */
  @ParameterizedTest
  @CsvSource({"'',''", "'[CLS]',''", "'[CLS]','[SEP]'", "'[CLS] [CLS]','[SEP] [SEP]'"})
  void countsTokens(String before, String after) throws IOException {
    TinyModel.writeTokenizer(folder, words(before), words(after));
    try (SwitchyardEmbeddingModel model = model(Precision.FLOAT32)) {
      assertThat(tokens(model, "free money !", "offers")).isEqualTo(3 + 2);
      if (!before.isEmpty()) {
        assertThat(tokens(model, "\u200b", "\u200d", "lunch")).isEqualTo(1);
      }
      assertThat(tokens(model, "a ".repeat(100)))
          .isEqualTo(12 - words(before + " " + after).size());
    }
  }

  private static List<String> words(String text) {
    return text.isBlank() ? List.of() : List.of(text.trim().split(" "));
  }

  private static int tokens(SwitchyardEmbeddingModel model, String... texts) {
    return model
        .embedAll(Stream.of(texts).map(TextSegment::from).toList())
        .tokenUsage()
        .inputTokenCount();
  }

  @Test
  void poolsAsTheFolderSaysOrTheCaller() throws IOException {
    float[] mean = embedding(model(Precision.FLOAT32));
    Path config = Files.createDirectories(folder.resolve("1_Pooling")).resolve("config.json");
    Files.writeString(config, "{\"pooling_mode_cls_token\": true}");
    float[] first = embedding(model(Precision.FLOAT32));
    assertThat(first).isNotEqualTo(mean);
    Path tokenizer = folder.resolve("tokenizer.json");
    assertThat(
            embedding(
                SwitchyardEmbeddingModel.read(file, tokenizer, Precision.FLOAT32, Pooling.MEAN)))
        .isEqualTo(mean);
    Files.writeString(config, "{\"pooling_mode_max_tokens\": true}");
    assertThatExceptionOfType(ModelFileException.class)
        .isThrownBy(() -> model(Precision.FLOAT32))
        .withMessageContaining("has the pooling max (expected mean, cls or lasttoken");
    assertThat(
            embedding(
                SwitchyardEmbeddingModel.read(file, tokenizer, Precision.FLOAT32, Pooling.FIRST)))
        .isEqualTo(first);
  }

  private static float[] embedding(SwitchyardEmbeddingModel model) {
    return model.embed("free money offers").content().vector();
  }

  /** As sentence-transformers does: what follows is not looked at. */
  @ParameterizedTest
  @CsvSource({"5,3", "100,10", "null,10"})
  void looksAtAsManyTokensAsTheFolderSays(String length, int seen) throws IOException {
    Files.writeString(
        folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\": " + length + "}");
    try (SwitchyardEmbeddingModel model = model(Precision.FLOAT32)) {
      assertThat(tokens(model, "a ".repeat(100))).isEqualTo(seen);
      assertThat(model.embed("a ".repeat(100)).content())
          .isEqualTo(model.embed("a ".repeat(seen)).content());
    }
  }

  @Test
  void manyThreadsMayAsk() throws IOException {
    try (SwitchyardEmbeddingModel model = model(Precision.SWITCHBACK)) {
      List<Embedding> alone = model.embedAll(SEGMENTS).content();

      assertThat(
              IntStream.range(0, 64)
                  .parallel()
                  .mapToObj(i -> model.embedAll(SEGMENTS).content())
                  .toList())
          .isEqualTo(Collections.nCopies(64, alone));
    }
  }

  @Test
  void takesAnEncoderWithAdapters() throws IOException {
    CodaOptions options = CodaOptions.of(2, Precision.FLOAT32).withAdapter(4, 1, true, 0);
    ConditionalEncoder adapted =
        new ConditionalEncoder(
            BertEncoder.read(file, Precision.FLOAT32), options, new CounterRandom(1));
    Fixtures.disturb(adapted.learned(), 0.3f);
    SentenceEncoder sentences =
        new SentenceEncoder(
            WordPieceTokenizer.read(folder.resolve("tokenizer.json")),
            adapted,
            Pooling.MEAN,
            Fixtures.reference());
    try (SwitchyardEmbeddingModel model = new SwitchyardEmbeddingModel("adapted", sentences);
        SwitchyardEmbeddingModel plain = model(Precision.FLOAT32)) {
      assertThat(model.embed("free money offer").content().vector())
          .isEqualTo(sentences.embed("free money offer"))
          .isNotEqualTo(plain.embed("free money offer").content().vector());
    }
  }

  @Test
  void refusesToEmbedOnceClosed() throws IOException {
    SwitchyardEmbeddingModel model = model(Precision.FLOAT32);
    model.close();
    model.close();

    assertThatIllegalStateException()
        .isThrownBy(() -> model.embed("free"))
        .withMessage("embedding model model.safetensors is closed");
  }

  @Test
  void refusesFilesOfUnknownKinds() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SwitchyardEmbeddingModel.read(Path.of("m.bin"), file, Precision.FLOAT32))
        .withMessage("model m.bin is of no known kind (expected .onnx or .safetensors)");
  }
}
