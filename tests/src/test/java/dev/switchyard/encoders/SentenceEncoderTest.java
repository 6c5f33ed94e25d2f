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
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  @ParameterizedTest
  @EnumSource(Pooling.class)
  void embeddingsArePooledStatesOfLengthOne(Pooling pooling) throws IOException {
    SentenceEncoder sentences =
        new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), pooling, kernels);
    List<String> texts = texts(60); // several batches, some of one text
    FloatMatrix embeddings = sentences.embed(texts);
    for (int i = 0; i < texts.size(); i++) {
      int[] ids = TOKENIZER.encode(texts.get(i));
      double[][] states = bert.forward(ids, new int[ids.length], Sequences.ofLengths(ids.length));
      double[] pooled =
          switch (pooling) {
            case FIRST -> states[0];
            case LAST -> states[ids.length - 1];
            case MEAN ->
                IntStream.range(0, 12)
                    .mapToDouble(j -> Arrays.stream(states).mapToDouble(state -> state[j]).sum())
                    .toArray();
          };
      double length = Math.sqrt(Arrays.stream(pooled).map(x -> x * x).sum());
      for (int j = 0; j < 12; j++) {
        assertThat((double) embeddings.get(i, j)).isCloseTo(pooled[j] / length, within(1e-4));
      }
    }
    assertThat(embeddings.rows()).isEqualTo(60);
    assertThat(sentences.embed(List.of()).rows()).isZero();
    assertThat(sentences.embed("a")).hasSize(12);
  }

  /** Texts are cut into tokens by threads of the kernels alone, here by the caller's. */
  @Test
  void noOtherThreadIsUsed() throws IOException {
    SentenceEncoder sentences =
        new SentenceEncoder(
            TOKENIZER,
            encoder(Precision.FLOAT32),
            Pooling.MEAN,
            Kernels.create(BackendChoice.named("vector"), Parallel.serial()));
    Set<Thread> readers = ConcurrentHashMap.newKeySet();
    List<String> texts =
        new AbstractList<>() {
          @Override
          public String get(int index) {
            readers.add(Thread.currentThread());
            return "a b c d e f g";
          }

          @Override
          public int size() {
            return 2000; // many pieces for whoever would split them
          }
        };
    assertThat(sentences.encode(texts)).hasSize(2000);
    assertThat(readers).containsExactly(Thread.currentThread());
  }

  /** Where the tokenizer puts nothing around it, a text may be empty. */
  @Test
  void textsWithoutTokensAreRefused() throws IOException {
    WordPieceTokenizer bare =
        new TokenizerJson(List.of("a", "b")).around(List.of(), List.of()).ours();
    SentenceEncoder sentences =
        new SentenceEncoder(bare, encoder(Precision.FLOAT32), Pooling.MEAN, kernels);
    assertThat(bare.specialTokens()).isZero();
    assertThat(sentences.embed("a")).hasSize(12);
    for (String empty : List.of("", " ", "\u200b", "\u0000")) {
      assertThatThrownBy(() -> sentences.embed(List.of("a", empty)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "text 1 has no token (expected one or more, as its embedding is made of them)");
    }
  }

  /** Each text by itself, from many threads, and all together. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FLOAT32", "SWITCHBACK", "SWITCHBACK_Q", "SWITCHBACK_OUTLIERS"})
  void companyAndThreadsDoNotMatter(Precision precision) throws IOException {
    SentenceEncoder sentences =
        new SentenceEncoder(TOKENIZER, encoder(precision), Pooling.MEAN, kernels);
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
        new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), Pooling.MEAN, kernels, 5);
    assertThat(sentences.embed("a b c d e f")).isEqualTo(sentences.embed("a b c"));
    assertThat(sentences.embed("a b c")).isNotEqualTo(sentences.embed("a b"));
    SentenceEncoder all =
        new SentenceEncoder(TOKENIZER, encoder(Precision.FLOAT32), Pooling.MEAN, kernels);
    assertThat(all.embed("a ".repeat(1000))).isEqualTo(all.embed("a ".repeat(198)));
  }

  @Test
  void partsThatDoNotFitAreRefusedAtOnce() throws IOException {
    BertEncoder encoder = encoder(Precision.FLOAT32);
    assertThatThrownBy(
            () -> new SentenceEncoder(MiniLm.tokenizer(), encoder, Pooling.MEAN, kernels))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the tokenizer has 30522 tokens but the encoder embeds 13 (expected as many or more)");
    assertThatThrownBy(() -> new SentenceEncoder(TOKENIZER, encoder, Pooling.MEAN, kernels, 201))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxTokens is 201 (expected at most 200, the positions of the model)");
    assertThatThrownBy(() -> new SentenceEncoder(TOKENIZER, encoder, Pooling.MEAN, kernels, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxTokens is 1 (expected 2 or more)");
  }
}
