package dev.switchyard.encoders;

import dev.switchyard.layers.Precision;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A pretrained model of a few hundred numbers, in a folder as the Hugging Face library keeps it.
 */
public final class TinyModel {
  /** The words it knows. */
  public static final List<String> WORDS =
      List.of("money", "offer", "free", "meeting", "code", "lunch", "the", "a", "##s", "!");

  private static final BertShape SHAPE = new BertShape(13, 12, 2, 8, 2, 12, 2, 1e-12f);

  private TinyModel() {}

  /**
   * Writes model.safetensors, config.json and tokenizer.json.
   *
   * @return the model
   */
  public static Path write(Path folder) throws IOException {
    return write(folder, new TinyBert(SHAPE));
  }

  /** Writes the same with another weight. */
  public static Path writeOther(Path folder) throws IOException {
    TinyBert bert = new TinyBert(SHAPE);
    bert.weights.get("encoder.layer.1.output.dense.weight").data()[7] += 1e-3f;
    return write(folder, bert);
  }

  private static Path write(Path folder, TinyBert bert) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("config.json"),
        ("{'model_type':'bert','hidden_act':'gelu','vocab_size':13,'max_position_embeddings':12,"
                + "'type_vocab_size':2,'hidden_size':8,'num_attention_heads':2,"
                + "'intermediate_size':12,'num_hidden_layers':2,'layer_norm_eps':1e-12}")
            .replace('\'', '"'));
    try (InputStream tokenizer = new TokenizerJson(WORDS).stream()) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    return bert.writeSafetensors(folder);
  }

  /** Replaces its tokenizer by one that begins and ends texts with other tokens. */
  public static void writeTokenizer(Path folder, List<String> before, List<String> after)
      throws IOException {
    try (InputStream tokenizer = new TokenizerJson(WORDS).around(before, after).stream()) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
  }

  /** The encoder of a model. */
  public static BertEncoder read(Path model, Precision precision) throws IOException {
    return BertEncoder.readSafetensors(model, SHAPE, precision);
  }
}
