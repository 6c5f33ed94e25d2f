package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** all-MiniLM-L6-v2, a pretrained encoder that Maven brings along. */
public final class MiniLm {
  private static final String MODEL = "/all-minilm-l6-v2.onnx";
  private static final String TOKENIZER = "/all-minilm-l6-v2-tokenizer.json";

  private MiniLm() {}

  /** Reads the encoder. */
  public static BertEncoder encoder(Precision precision) throws IOException {
    Path file = extract();
    try {
      return BertEncoder.readOnnx(file, precision);
    } finally {
      Files.delete(file);
    }
  }

  /** Reads its tokenizer. */
  public static WordPieceTokenizer tokenizer() throws IOException {
    try (InputStream in = open(TOKENIZER)) {
      return WordPieceTokenizer.read(TOKENIZER, in);
    }
  }

  /** Copies the model to a temporary file, which is for the caller to delete. */
  public static Path extract() throws IOException {
    try (InputStream in = open(MODEL)) {
      return copy(in, Path.of(System.getProperty("java.io.tmpdir")));
    }
  }

  /** All of a stream in a new file, or no file. */
  static Path copy(InputStream in, Path folder) throws IOException {
    Path file = Files.createTempFile(folder, "encoder", ".onnx");
    try {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      return file;
    } catch (Throwable e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  private static InputStream open(String name) {
    InputStream in = MiniLm.class.getResourceAsStream(name);
    if (in == null) {
      throw new DataException(
          "the model " + name + " is not on the class path (expected its jar, as Maven has it)");
    }
    return in;
  }
}
