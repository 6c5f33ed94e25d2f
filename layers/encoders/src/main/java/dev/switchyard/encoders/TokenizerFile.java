package dev.switchyard.encoders;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes a tokenizer of a {@code tokenizer.json}, and refuses what it does not know how to do. */
final class TokenizerFile {
  /** More tokens than any vocabulary has, few enough for embeddings that a Java array can hold. */
  private static final int LARGEST_ID = (1 << 24) - 1;

  private final String file;
  private final Json json;

  TokenizerFile(String file, Json json) {
    this.file = file;
    this.json = json;
  }

  WordPieceTokenizer tokenizer() throws ModelFileException {
    Json model = json.get("model");
    model.get("type").require("WordPiece");
    Map<String, Integer> vocabulary = vocabulary(model.get("vocab"));
    Map<String, Integer> added = added(json.get("added_tokens"), vocabulary);
    Map<String, Integer> all = new LinkedHashMap<>(vocabulary);
    all.putAll(added);
    json.get("pre_tokenizer").get("type").require("BertPreTokenizer");
    return new WordPieceTokenizer(
        new AddedTokens(added),
        normalizer(json.get("normalizer")),
        new WordPieces(
            vocabulary,
            model.get("continuing_subword_prefix").text(),
            id(model.get("unk_token"), vocabulary),
            model.get("max_input_chars_per_word").integer(1, 10_000)),
        around(true, all),
        around(false, all),
        all.values().stream().mapToInt(id -> id).max().orElseThrow() + 1);
  }

  private static Map<String, Integer> vocabulary(Json vocab) throws ModelFileException {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (Map.Entry<String, Json> token : vocab.members().entrySet()) {
      ids.put(token.getKey(), token.getValue().integer(0, LARGEST_ID));
    }
    return ids;
  }

  private static Map<String, Integer> added(Json tokens, Map<String, Integer> vocabulary)
      throws ModelFileException {
    Map<String, Integer> ids = new LinkedHashMap<>();
    if (tokens.isNull()) {
      return ids;
    }
    for (Json token : tokens.items()) {
      for (String option : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        token.get(option).require(false);
      }
      String text = token.get("content").text();
      int id = token.get("id").integer(0, LARGEST_ID);
      if (text.isEmpty()) {
        throw token.get("content").problem("a text that can be found");
      }
      if (vocabulary.getOrDefault(text, id) != id) {
        throw token.get("id").problem(vocabulary.get(text) + ", as the vocabulary says");
      }
      ids.put(text, id);
    }
    return ids;
  }

  private static int id(Json token, Map<String, Integer> ids) throws ModelFileException {
    Integer id = ids.get(token.text());
    if (id == null) {
      throw token.problem("a token of the vocabulary");
    }
    return id;
  }

  private static BertNormalizer normalizer(Json json) throws ModelFileException {
    json.get("type").require("BertNormalizer");
    boolean lowercases = json.get("lowercase").bool();
    Json strip = json.get("strip_accents");
    return new BertNormalizer(
        json.get("clean_text").bool(),
        json.get("handle_chinese_chars").bool(),
        strip.isNull() ? lowercases : strip.bool(),
        lowercases);
  }

  /** The tokens with which each text begins, or ends. */
  private int[] around(boolean begin, Map<String, Integer> ids) throws ModelFileException {
    Json processor = json.get("post_processor");
    return switch (processor.get("type").text()) {
      case "BertProcessing" -> new int[] {tokenAndId(processor.get(begin ? "cls" : "sep"), ids)};
      case "TemplateProcessing" -> template(processor, begin, ids);
      default -> throw processor.get("type").problem("TemplateProcessing or BertProcessing");
    };
  }

  private static int tokenAndId(Json json, Map<String, Integer> ids) throws ModelFileException {
    List<Json> both = json.items();
    if (both.size() != 2) {
      throw json.problem("one of a token and its id");
    }
    int id = id(both.getFirst(), ids);
    both.getLast().require((long) id);
    return id;
  }

  private int[] template(Json processor, boolean begin, Map<String, Integer> ids)
      throws ModelFileException {
    List<Integer> found = new ArrayList<>();
    boolean beforeText = true;
    for (Json part : processor.get("single").items()) {
      Json special = part.get("SpecialToken");
      if (!special.isNull()) {
        special.get("type_id").require(0L);
        if (beforeText == begin) {
          Json token = processor.get("special_tokens").get(special.get("id").text());
          for (Json id : token.get("ids").items()) {
            found.add(known(id, ids));
          }
        }
      } else if (beforeText) {
        part.get("Sequence").get("id").require("A");
        part.get("Sequence").get("type_id").require(0L);
        beforeText = false;
      } else {
        throw new ModelFileException(
            file, "the text twice in post_processor.single", "special tokens around it");
      }
    }
    if (beforeText) {
      throw new ModelFileException(file, "no text in post_processor.single", "one sequence");
    }
    return found.stream().mapToInt(id -> id).toArray();
  }

  private static int known(Json id, Map<String, Integer> ids) throws ModelFileException {
    int value = id.integer(0, LARGEST_ID);
    if (!ids.containsValue(value)) {
      throw id.problem("the id of a token");
    }
    return value;
  }
}
