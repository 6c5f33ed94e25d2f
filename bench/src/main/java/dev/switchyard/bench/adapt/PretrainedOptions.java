package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.data.Reason;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.SentenceEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which pretrained encoder to take. */
final class PretrainedOptions {
  @Option(
      names = "--model",
      paramLabel = "FILE",
      description = {
        "The pretrained encoder: a BERT as .onnx, or as .safetensors with its config.json beside it"
            + " (default: all-MiniLM-L6-v2)."
      })
  private Path model;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description =
          "Its tokenizer.json (default: the one beside the model, or that of all-MiniLM-L6-v2).")
  private Path tokenizer;

  BertEncoder encoder(Precision precision) {
    if (model != null && !Files.exists(model)) { // else its config.json is missed first
      throw new DataException(model + " does not exist (expected an encoder)");
    }
    try {
      return model == null ? MiniLm.encoder(precision) : BertEncoder.read(model, precision);
    } catch (IllegalArgumentException e) {
      throw new DataException(e.getMessage(), e);
    } catch (IOException e) {
      String reason = model == null ? Reason.of(e) : Reason.of(model, e);
      throw new DataException("the encoder cannot be read: " + reason, e);
    }
  }

  /** What its folder says of how to make one vector of the states of a text, or the mean. */
  Pooling pooling() {
    try {
      return model == null ? Pooling.MEAN : SentenceEncoder.pooling(model);
    } catch (IOException e) {
      throw new DataException(
          "the pooling of the encoder is not known: " + e.getMessage() + "; choose with --pooling",
          e);
    }
  }

  /** What its folder says of how many tokens of a text to look at, if that is less than others. */
  int maxTokens(int others) {
    try {
      return model == null
          ? others
          : Math.min(others, SentenceEncoder.maxTokens(model).orElse(others));
    } catch (IOException e) {
      throw new DataException(
          "how many tokens the encoder takes is not known: "
              + e.getMessage()
              + "; choose with --max-tokens",
          e);
    }
  }

  WordPieceTokenizer tokenizer() {
    if (tokenizer == null && model == null) {
      try {
        return MiniLm.tokenizer();
      } catch (IOException e) {
        throw new DataException("the tokenizer cannot be read: " + Reason.of(e), e);
      }
    }
    Path file = tokenizer == null ? model.resolveSibling("tokenizer.json") : tokenizer;
    try {
      return WordPieceTokenizer.read(file);
    } catch (IOException e) {
      throw new DataException("the tokenizer cannot be read: " + Reason.of(file, e), e);
    }
  }

  String name() {
    return model == null ? "all-MiniLM-L6-v2" : model.toString();
  }
}
