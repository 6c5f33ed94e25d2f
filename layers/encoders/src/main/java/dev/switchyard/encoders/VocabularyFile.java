package dev.switchyard.encoders;

import dev.switchyard.layers.io.ForeignFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary of one token a line, which is all that the oldest models have; the rest is what
 * BERT's tokenizer does unless {@code tokenizer_config.json} says otherwise.
 */
final class VocabularyFile {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String UNKNOWN = "[UNK]";
  private static final String BEGIN = "[CLS]";
  private static final String END = "[SEP]";
  private static final List<String> SPECIAL = List.of(UNKNOWN, END, "[PAD]", BEGIN, "[MASK]");

  private VocabularyFile() {}

  static WordPieceTokenizer read(Path file) throws IOException {
    Map<String, Integer> vocabulary = vocabulary(file);
    List<AddedTokens.Token> added = new ArrayList<>();
    for (String token : SPECIAL) {
      if (vocabulary.containsKey(token)) {
        added.add(new AddedTokens.Token(token, vocabulary.get(token), false, false, false));
      }
    }
    return new WordPieceTokenizer(
        new AddedTokens(added),
        new AddedTokens(List.of()),
        normalizer(file.resolveSibling(CONFIG)),
        new WordPieces(vocabulary, "##", id(file, vocabulary, UNKNOWN), 100),
        new int[] {id(file, vocabulary, BEGIN)},
        new int[] {id(file, vocabulary, END)},
        vocabulary.values().stream().mapToInt(id -> id).max().orElseThrow() + 1);
  }

  private static Map<String, Integer> vocabulary(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      ModelFileException.refuseForeign(file.toString(), in.readNBytes(ForeignFile.HEAD));
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      int line = 0;
      for (String token = in.readLine(); token != null; token = in.readLine()) {
        ids.put(token.stripTrailing(), line++); // of two that are alike the last counts
      }
    } catch (CharacterCodingException e) {
      throw (ModelFileException)
          new ModelFileException(file + " is not text in UTF-8 (expected a token a line)")
              .initCause(e);
    }
    return ids;
  }

  private static int id(Path file, Map<String, Integer> vocabulary, String token)
      throws ModelFileException {
    Integer id = vocabulary.get(token);
    if (id == null) {
      throw new ModelFileException(file.toString(), "no line " + token, "a vocabulary of BERT");
    }
    return id;
  }

  private static BertNormalizer normalizer(Path config) throws IOException {
    if (!Files.exists(config)) {
      return new BertNormalizer(true, true, true, true);
    }
    try (InputStream in = Files.newInputStream(config)) {
      Json json = Json.read(config.toString(), in);
      boolean lowercases = json.get("do_lower_case").boolOr(true);
      return new BertNormalizer(
          true,
          json.get("tokenize_chinese_chars").boolOr(true),
          json.get("strip_accents").boolOr(lowercases),
          lowercases);
    }
  }
}
