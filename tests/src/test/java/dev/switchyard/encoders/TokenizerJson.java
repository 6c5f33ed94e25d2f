package dev.switchyard.encoders;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes small {@code tokenizer.json} files, whose parts tests replace. */
final class TokenizerJson {
  private static final List<String> IDS = List.of("[UNK]", "[CLS]", "[SEP]");

  private final Map<String, String> sections = new LinkedHashMap<>();

  /** A tokenizer as BERT's uncased one, with these tokens after [UNK], [CLS], [SEP]. */
  TokenizerJson(List<String> tokens) {
    StringBuilder vocabulary = new StringBuilder("{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2");
    int id = 3;
    for (String token : tokens) {
      vocabulary.append(",").append(quoted(token)).append(":").append(id++);
    }
    put("version", "\"1.0\"");
    put("truncation", "null");
    put("padding", "null");
    put("added_tokens", "[" + special("[UNK]", 0) + "," + special("[SEP]", 2) + "]");
    normalizer(true, true, "null", true);
    put("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}");
    put(
        "post_processor",
        "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",2],\"cls\":[\"[CLS]\",1]}");
    put("decoder", "null");
    put(
        "model",
        "{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
            + "\"max_input_chars_per_word\":100,\"vocab\":"
            + vocabulary.append("}}"));
  }

  /** Replaces a section. */
  TokenizerJson put(String section, String json) {
    sections.put(section, json);
    return this;
  }

  /** Replaces a part of a section. */
  TokenizerJson replace(String section, String part, String by) {
    String before = sections.get(section);
    if (!before.contains(part)) {
      throw new AssertionError(section + " has no " + part);
    }
    return put(section, before.replace(part, by));
  }

  /** Puts a section into others. */
  TokenizerJson wrap(String section, String pattern) {
    return put(section, pattern.replace("%s", sections.get(section)));
  }

  TokenizerJson normalizer(boolean clean, boolean chinese, String accents, boolean lowercase) {
    return put(
        "normalizer",
        "{\"type\":\"BertNormalizer\",\"clean_text\":"
            + clean
            + ",\"handle_chinese_chars\":"
            + chinese
            + ",\"strip_accents\":"
            + accents
            + ",\"lowercase\":"
            + lowercase
            + "}");
  }

  /** Puts special tokens before and after each text: any of [UNK], [CLS] and [SEP]. */
  TokenizerJson around(List<String> before, List<String> after) {
    return put(
        "post_processor",
        "{\"type\":\"TemplateProcessing\",\"single\":["
            + Stream.of(before, List.of(""), after)
                .flatMap(List::stream)
                .map(TokenizerJson::part)
                .collect(Collectors.joining(","))
            + "],\"pair\":[],\"special_tokens\":{"
            + IDS.stream()
                .map(
                    token ->
                        String.format(
                            Locale.ROOT,
                            "'%1$s':{'id':'%1$s','ids':[%2$d],'tokens':['%1$s']}"
                                .replace('\'', '"'),
                            token,
                            IDS.indexOf(token)))
                .collect(Collectors.joining(","))
            + "}}");
  }

  private static String part(String token) {
    return (token.isEmpty()
            ? "{'Sequence':{'id':'A','type_id':0}}"
            : "{'SpecialToken':{'id':'" + token + "','type_id':0}}")
        .replace('\'', '"');
  }

  /** A special token as BERT's files have them. */
  static String special(String text, int id) {
    return "{\"id\":"
        + id
        + ",\"content\":"
        + quoted(text)
        + ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
        + "\"special\":true}";
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  @Override
  public String toString() {
    return sections.entrySet().stream()
        .map(section -> "\"" + section.getKey() + "\":" + section.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }

  InputStream stream() {
    return new ByteArrayInputStream(toString().getBytes(StandardCharsets.UTF_8));
  }

  WordPieceTokenizer ours() {
    try {
      return WordPieceTokenizer.read("tokenizer.json", stream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The library whose ids ours have to be, on the same file. */
  HuggingFaceTokenizer theirs() {
    return theirs(stream());
  }

  static HuggingFaceTokenizer theirs(InputStream json) {
    try {
      return HuggingFaceTokenizer.newInstance(
          json, Map.of("truncation", "false", "padding", "false"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
