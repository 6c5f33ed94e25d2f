package dev.switchyard.encoders;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes a tokenizer of a {@code tokenizer.json}, and refuses what it does not know how to do. */
final class TokenizerFile {
  /** More tokens than any vocabulary has, few enough for embeddings that a Java array can hold. */
  private static final int LARGEST_ID = (1 << 24) - 1;

  /** Bounds what a place in a text costs where no token begins. */
  private static final int LONGEST_ADDED = 1024;

  /** Of the special tokens on either side of a text: a file may name a list again and again. */
  private static final int MOST_AROUND = 1024;

  private final String file;
  private final Json json;

  TokenizerFile(String file, Json json) {
    this.file = file;
    this.json = json;
  }

  WordPieceTokenizer tokenizer() throws ModelFileException {
    Json model = json.get("model");
    if (!model.get("type").isNull()) { // older files have none
      model.get("type").require("WordPiece");
    } else if (!model.get("merges").isNull()) {
      throw model.get("merges").problem("word pieces, which have none");
    }
    Map<String, Integer> vocabulary = vocabulary(model.get("vocab"));
    BertNormalizer normalizer = normalizer(only(json.get("normalizer"), "normalizers"));
    List<AddedTokens.Token> raw = new ArrayList<>();
    List<AddedTokens.Token> normalized = new ArrayList<>();
    Map<String, Integer> all = new LinkedHashMap<>(vocabulary);
    all.putAll(added(vocabulary, normalizer, raw, normalized));
    only(json.get("pre_tokenizer"), "pretokenizers").get("type").require("BertPreTokenizer");
    return new WordPieceTokenizer(
        new AddedTokens(raw),
        new AddedTokens(normalized),
        normalizer,
        new WordPieces(
            vocabulary,
            model.get("continuing_subword_prefix").text(),
            id(model.get("unk_token"), vocabulary),
            model.get("max_input_chars_per_word").integer(1, 10_000)),
        around(true, all),
        around(false, all),
        all.values().stream().mapToInt(id -> id).max().orElseThrow() + 1);
  }

  /** The part of the file, or the single one of a sequence. */
  private static Json only(Json part, String items) throws ModelFileException {
    if (part.isNull() || !"Sequence".equals(part.get("type").textOr(""))) {
      return part;
    }
    List<Json> all = part.get(items).items();
    if (all.size() != 1) {
      throw part.get(items).problem("one of a single part");
    }
    return only(all.getFirst(), items);
  }

  private static Map<String, Integer> vocabulary(Json vocab) throws ModelFileException {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (Map.Entry<String, Json> token : vocab.members().entrySet()) {
      ids.put(token.getKey(), token.getValue().integer(0, LARGEST_ID));
    }
    return ids;
  }

  /** Special tokens first, as the library looks for them. */
  private Map<String, Integer> added(
      Map<String, Integer> vocabulary,
      BertNormalizer normalizer,
      List<AddedTokens.Token> raw,
      List<AddedTokens.Token> normalized)
      throws ModelFileException {
    Map<String, Integer> ids = new LinkedHashMap<>();
    Json tokens = json.get("added_tokens");
    List<Json> items = tokens.isNull() ? List.of() : tokens.items();
    for (boolean special : new boolean[] {true, false}) {
      for (Json token : items) {
        if (token.get("special").boolOr(true) == special) {
          String text = token.get("content").text();
          if (ids.put(text, id(token, text, vocabulary)) != null) {
            throw token.get("content").problem("each token once");
          }
          boolean late = token.get("normalized").bool();
          String written = late ? normalizer.normalize(text) : text;
          if (written.isEmpty() || written.length() > LONGEST_ADDED) {
            throw token
                .get("content")
                .problem("a text of 1 to " + LONGEST_ADDED + " letters, that can be found");
          }
          (late ? normalized : raw)
              .add(
                  new AddedTokens.Token(
                      written,
                      ids.get(text),
                      token.get("single_word").bool(),
                      token.get("lstrip").bool(),
                      token.get("rstrip").bool()));
        }
      }
    }
    return ids;
  }

  private static int id(Json token, String text, Map<String, Integer> vocabulary)
      throws ModelFileException {
    int id = token.get("id").integer(0, LARGEST_ID);
    if (vocabulary.getOrDefault(text, id) != id) {
      throw token.get("id").problem(vocabulary.get(text) + ", as the vocabulary says");
    }
    return id;
  }

  private static int id(Json token, Map<String, Integer> ids) throws ModelFileException {
    Integer id = ids.get(token.text());
    if (id == null) {
      throw token.problem("a token of the vocabulary");
    }
    return id;
  }

  private static BertNormalizer normalizer(Json json) throws ModelFileException {
    if (json.isNull()) {
      return new BertNormalizer(false, false, false, false);
    }
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
    Json processor = only(json.get("post_processor"), "processors");
    if (processor.isNull()) {
      return new int[0];
    }
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
            if (found.size() == MOST_AROUND) {
              throw id.problem("at most " + MOST_AROUND + " tokens on either side of a text");
            }
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
