package dev.switchyard.encoders;

import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What the folder of a sentence-transformers model says of the way from a text to an embedding:
 * {@code modules.json} lists the steps, {@code sentence_bert_config.json} says how much of a text
 * the first one takes, and {@code 1_Pooling/config.json} describes the one that makes one vector of
 * many.
 */
final class SentenceFiles {
  private static final String MODULES = "modules.json";
  private static final String USUAL = "1_Pooling";
  private static final String MODE = "pooling_mode";
  private static final String MEAN = "pooling_mode_mean_tokens";
  private static final String TOKENS = "sentence_bert_config.json";

  /** How the format called the modes while each had a switch of its own. */
  private static final Map<String, String> SWITCHES = new LinkedHashMap<>();

  static {
    SWITCHES.put("pooling_mode_cls_token", "cls");
    SWITCHES.put("pooling_mode_max_tokens", "max");
    SWITCHES.put(MEAN, "mean");
    SWITCHES.put("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens");
    SWITCHES.put("pooling_mode_weightedmean_tokens", "weightedmean");
    SWITCHES.put("pooling_mode_lasttoken", "lasttoken");
  }

  private SentenceFiles() {}

  /** The pooling of a model; the mean where its folder says nothing. */
  static Pooling pooling(Path model) throws IOException {
    Path folder = folder(model);
    Optional<Path> named = named(folder);
    Path config = named.orElse(folder.resolve(USUAL)).resolve("config.json");
    // What is named has to be there: a guess in its place would be silent.
    return named.isPresent() || Files.exists(config) ? pooling(read(config)) : Pooling.MEAN;
  }

  /** How many tokens of a text a model looks at; empty where its folder says nothing. */
  static OptionalInt maxTokens(Path model) throws IOException {
    Path file = folder(model).resolve(TOKENS);
    int given =
        Files.exists(file)
            ? read(file).get("max_seq_length").integerOr(1, Integer.MAX_VALUE, 0)
            : 0;
    return given == 0 ? OptionalInt.empty() : OptionalInt.of(given);
  }

  private static Path folder(Path model) {
    Path folder = model.toAbsolutePath().getParent();
    boolean exported = folder.endsWith("onnx"); // where repositories keep the ONNX of a model
    return exported
            && Stream.of(MODULES, USUAL, TOKENS).noneMatch(f -> Files.exists(folder.resolve(f)))
        ? folder.getParent()
        : folder;
  }

  private static Json read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Json.read(file.toString(), in);
    }
  }

  /** The folder of the pooling, where no other step would change the embedding. */
  private static Optional<Path> named(Path parent) throws IOException {
    Path modules = parent.resolve(MODULES);
    Optional<Path> folder = Optional.empty();
    if (!Files.exists(modules)) {
      return folder;
    }
    for (Json module : read(modules).items()) {
      Json type = module.get("type"); // such as sentence_transformers.models.Pooling
      switch (type.text().substring(type.text().lastIndexOf('.') + 1)) {
        case "Transformer", "Normalize" -> {}
        case "Pooling" -> folder = Optional.of(sibling(modules, module.get("path")));
        default ->
            throw type.problem("a Transformer, its Pooling and Normalize: no other step is done");
      }
    }
    return folder;
  }

  private static Path sibling(Path modules, Json name) throws ModelFileException {
    try {
      return modules.resolveSibling(name.text());
    } catch (InvalidPathException _) {
      throw name.problem("the name of a folder");
    }
  }

  private static Pooling pooling(Json config) throws ModelFileException {
    Json mode = config.get(MODE);
    List<String> modes = new ArrayList<>();
    if (mode.isList()) {
      for (Json item : mode.items()) {
        modes.add(item.text());
      }
    } else if (!mode.isNull()) {
      modes.add(mode.text());
    } else {
      for (Map.Entry<String, String> old : SWITCHES.entrySet()) {
        Json on = config.get(old.getKey());
        if (!on.isNull() && on.bool()) {
          modes.add(old.getValue());
        }
      }
    }
    boolean silent = mode.isNull() && config.get(MEAN).isNull(); // which stands for the mean
    if (modes.isEmpty() && !silent) {
      modes.add("none");
    }
    return switch (String.join(" and ", modes)) {
      case "", "mean" -> Pooling.MEAN;
      case "cls" -> Pooling.FIRST;
      case "lasttoken" -> Pooling.LAST;
      case String other ->
          throw new ModelFileException(
              config.file(),
              "the pooling " + other,
              "mean, cls or lasttoken, or the caller's choice");
    };
  }
}
