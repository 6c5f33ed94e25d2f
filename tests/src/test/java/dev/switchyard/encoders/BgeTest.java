package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** bge-small-en-v1.5, whose embeddings are the states of the first token, and ONNX Runtime. */
@Tag("full")
class BgeTest {
  private static final List<String> TEXTS =
      List.of("A cat sits on the mat.", "Tomorrow's meeting has been moved.", "x", "");

  @TempDir Path folder;

  private Path extract(String resource, String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = BgeTest.class.getResourceAsStream(resource)) {
      Files.copy(Objects.requireNonNull(in, resource), file);
    }
    return file;
  }

  @Test
  void embeddingsAreTheFirstStates() throws IOException, OrtException {
    Path model = extract("/bge-small-en-v1.5.onnx", "model.onnx");
    Path config = Files.createDirectories(folder.resolve("1_Pooling")).resolve("config.json");
    Files.writeString(
        config,
        """
        {"word_embedding_dimension": 384, "pooling_mode_cls_token": true,
         "pooling_mode_mean_tokens": false, "pooling_mode_max_tokens": false,
         "pooling_mode_mean_sqrt_len_tokens": false}
        """);
    assertThat(SentenceEncoder.pooling(model)).isEqualTo(Pooling.FIRST);
    WordPieceTokenizer tokenizer =
        WordPieceTokenizer.read(extract("/bge-small-en-v1.5-tokenizer.json", "tokenizer.json"));
    SentenceEncoder encoder =
        new SentenceEncoder(
            tokenizer,
            BertEncoder.read(model, Precision.FLOAT32),
            SentenceEncoder.pooling(model),
            Kernels.create(Parallel.ofThreads(2)));
    FloatMatrix embeddings = encoder.embed(TEXTS);
    try (OnnxRuntime runtime = new OnnxRuntime(model, true)) {
      for (int i = 0; i < TEXTS.size(); i++) {
        float[] first = runtime.run(tokenizer.encode(TEXTS.get(i), 512))[0];
        double squares = 0;
        for (float x : first) {
          squares += (double) x * x;
        }
        for (int j = 0; j < first.length; j++) {
          assertThat((double) embeddings.get(i, j))
              .isCloseTo(first[j] / Math.sqrt(squares), within(1e-5));
        }
      }
    }
  }
}
