package dev.switchyard.encoders;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/** The files of all-MiniLM-L6-v2, a small sentence encoder, from their Maven artifact. */
final class MiniLm {
  private MiniLm() {}

  static InputStream tokenizerFile() {
    return resource("/all-minilm-l6-v2-tokenizer.json");
  }

  static WordPieceTokenizer tokenizer() {
    try {
      return WordPieceTokenizer.read("all-minilm-l6-v2-tokenizer.json", tokenizerFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model as a file, which goes when the JVM does. */
  static Path model() {
    return Holder.MODEL;
  }

  private static final class Holder {
    static final Path MODEL = extract();

    private static Path extract() {
      try (InputStream in = resource("/all-minilm-l6-v2.onnx")) {
        Path file = Files.createTempFile("all-minilm-l6-v2", ".onnx");
        file.toFile().deleteOnExit();
        Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        return file;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static InputStream resource(String name) {
    return Objects.requireNonNull(MiniLm.class.getResourceAsStream(name), name);
  }
}
