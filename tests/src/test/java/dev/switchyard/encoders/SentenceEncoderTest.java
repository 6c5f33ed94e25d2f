package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Texts to embeddings, with a small random model. */
class SentenceEncoderTest {
  private static final BertShape SHAPE = new BertShape(13, 200, 2, 12, 3, 24, 2, 1e-12f);
  private static final WordPieceTokenizer TOKENIZER =
      new TokenizerJson(List.of("a", "b", "c", "d", "e", "f", "g", "##a", "##b", "##c")).ours();

  @TempDir Path folder;

  private final Kernels kernels =
      Kernels.create(BackendChoice.named("vector"), Parallel.ofThreads(2));
  private final TinyBert bert = new TinyBert(SHAPE);

  private BertEncoder encoder(Precision precision) throws IOException {
    return BertEncoder.readSafetensors(bert.writeSafetensors(folder), SHAPE, precision);
  }

  private static List<String> texts(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                IntStream.range(0, Integer.remainderUnsigned(CounterRandom.bits(1, i), 150))
                    .mapToObj(k -> "abcdefg".charAt((CounterRandom.bits(i, k) & 0xffff) % 7))
                    .map(String::valueOf)
                    .collect(Collectors.joining(" ")))
        .toList();
  }

  @Test
  void embeddingsAreMeansOfLengthOne() throws IOException {
    SentenceEncoder sentences = new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), kernels);
    List<String> texts = texts(60); // several batches, some of one text
    FloatMatrix embeddings = sentences.embed(texts);
    for (int i = 0; i < texts.size(); i++) {
      int[] ids = TOKENIZER.encode(texts.get(i));
      double[][] states = bert.forward(ids, new int[ids.length], Sequences.ofLengths(ids.length));
      double[] mean = new double[12];
      double squares = 0;
      for (int j = 0; j < 12; j++) {
        for (double[] state : states) {
          mean[j] += state[j];
        }
        squares += mean[j] * mean[j];
      }
      for (int j = 0; j < 12; j++) {
        assertThat((double) embeddings.get(i, j))
            .isCloseTo(mean[j] / Math.sqrt(squares), within(1e-4));
      }
    }
    assertThat(embeddings.rows()).isEqualTo(60);
    assertThat(sentences.embed(List.of()).rows()).isZero();
    assertThat(sentences.embed("a")).hasSize(12);
  }

  /** Each text by itself, from many threads, and all together. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FLOAT32", "SWITCHBACK", "SWITCHBACK_Q", "SWITCHBACK_OUTLIERS"})
  void companyAndThreadsDoNotMatter(Precision precision) throws IOException {
    SentenceEncoder sentences = new SentenceEncoder(TOKENIZER, encoder(precision), kernels);
    List<String> texts = texts(40);
    FloatMatrix together = sentences.embed(texts);
    Map<Integer, float[]> alone = new ConcurrentHashMap<>();
    IntStream.range(0, 40).parallel().forEach(i -> alone.put(i, sentences.embed(texts.get(i))));
    for (int i = 0; i < 40; i++) {
      for (int j = 0; j < 12; j++) {
        assertThat(alone.get(i)[j]).isCloseTo(together.get(i, j), within(1e-6f));
      }
    }
  }

  @Test
  void longTextsAreCut() throws IOException {
    SentenceEncoder sentences =
        new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), kernels, 5);
    assertThat(sentences.embed("a b c d e f")).isEqualTo(sentences.embed("a b c"));
    assertThat(sentences.embed("a b c")).isNotEqualTo(sentences.embed("a b"));
    SentenceEncoder all = new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), kernels);
    assertThat(all.embed("a ".repeat(1000))).isEqualTo(all.embed("a ".repeat(198)));
  }

  @Test
  void partsThatDoNotFitAreRefusedAtOnce() throws IOException {
    BertEncoder encoder = encoder(Precision.FLOAT32);
    assertThatThrownBy(() -> new SentenceEncoder(MiniLm.tokenizer(), encoder, kernels))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the tokenizer has 30522 tokens but the encoder embeds 13 (expected as many or more)");
    assertThatThrownBy(() -> new SentenceEncoder(TOKENIZER, encoder, kernels, 201))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxTokens is 201 (expected at most 200, the positions of the model)");
    assertThatThrownBy(() -> new SentenceEncoder(TOKENIZER, encoder, kernels, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxTokens is 1 (expected 2 or more)");
  }
}
