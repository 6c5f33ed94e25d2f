package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.switchyard.fuzz.FileFuzz;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a tokenizer's file may ask for, and the words with which the rest is refused. */
class TokenizerFileTest {
  static final String TEMPLATE =
      "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'[CLS]','type_id':0}},"
          + "{'Sequence':{'id':'A','type_id':0}},{'SpecialToken':{'id':'[SEP]','type_id':0}}],"
          + "'pair':[{'Sequence':{'id':'A','type_id':0}},{'Sequence':{'id':'B','type_id':1}}],"
          + "'special_tokens':{'[CLS]':{'id':'[CLS]','ids':[1],'tokens':['[CLS]']},"
          + "'[SEP]':{'id':'[SEP]','ids':[2],'tokens':['[SEP]']}}}";

  @TempDir Path folder;

  private static TokenizerJson sample() {
    return new TokenizerJson(List.of("a", "##b", "c"));
  }

  private static TokenizerJson template() {
    return sample().put("post_processor", TEMPLATE.replace('\'', '"'));
  }

  private static void assertRefused(TokenizerJson json, String message) {
    assertThatThrownBy(() -> WordPieceTokenizer.read("tokenizer.json", json.stream()))
        .isInstanceOf(ModelFileException.class)
        .hasMessage("tokenizer.json has " + message);
  }

  @Test
  void readsAFile() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Files.write(file, sample().stream().readAllBytes());
    assertThat(WordPieceTokenizer.read(file).encode("ab C")).containsExactly(1, 3, 4, 5, 2);
    assertThatThrownBy(() -> WordPieceTokenizer.read(folder.resolve("none")))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(ModelFileException.class);
  }

  @Test
  void templatesAreFollowed() {
    assertThat(template().ours().encode("ab c")).containsExactly(1, 3, 4, 5, 2);
    TokenizerJson twice =
        template()
            .replace(
                "post_processor",
                "\"ids\":[1],\"tokens\":[\"[CLS]\"]",
                "\"ids\":[1,5],\"tokens\":[\"[CLS]\",\"c\"]")
            .replace(
                "post_processor",
                "{\"Sequence\"",
                "{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}},{\"Sequence\"");
    try (HuggingFaceTokenizer theirs = twice.theirs()) {
      int[] ids = twice.ours().encode("ab c");
      assertThat(ids).containsExactly(1, 5, 2, 3, 4, 5, 2);
      assertThat(IntStream.of(ids).asLongStream()).containsExactly(box(theirs.encode("ab c")));
    }
  }

  private static Long[] box(ai.djl.huggingface.tokenizers.Encoding encoding) {
    return Arrays.stream(encoding.getIds()).boxed().toArray(Long[]::new);
  }

  @Test
  void accentsStayWhereLettersDoUnlessTheFileSaysOtherwise() {
    TokenizerJson json = new TokenizerJson(List.of("é", "e", "É", "E"));
    assertThat(json.normalizer(true, true, "null", true).ours().encode("É")).contains(4);
    assertThat(json.normalizer(true, true, "null", false).ours().encode("É")).contains(5);
    assertThat(json.normalizer(true, true, "false", true).ours().encode("É")).contains(3);
    assertThat(json.normalizer(true, true, "true", false).ours().encode("É")).contains(6);
  }

  @Test
  void otherPrefixesAndLengthsOfWords() {
    TokenizerJson json =
        new TokenizerJson(List.of("a", "xb"))
            .replace("model", "\"##\"", "\"x\"")
            .replace("model", ":100", ":3");
    assertThat(json.ours().encode("abb xb abbb")).containsExactly(1, 3, 4, 4, 4, 0, 2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "model | 'WordPiece' | 'BPE' | BPE for model.type (expected WordPiece)",
        "model | 'WordPiece' | 7 | 7 for model.type (expected WordPiece)",
        "model | '[UNK]','c | 'unk','c | unk for model.unk_token (expected a token of the"
            + " vocabulary)",
        "model | :100 | :0 | 0 for model.max_input_chars_per_word (expected a whole number from 1"
            + " to 10000)",
        "model | 'a':3 | 'a':-3 | -3 for model.vocab.a (expected a whole number from 0 to"
            + " 16777215)",
        "model | 'a':3 | 'a':3.5 | 3.5 for model.vocab.a (expected a whole number from 0 to"
            + " 16777215)",
        "model | 'a':3 | 'a':3,'a':4 | the name \"a\" twice (expected each once)",
        "model | '##' | null | nothing for model.continuing_subword_prefix (expected a string)",
        "normalizer | BertNormalizer | Lowercase | Lowercase for normalizer.type (expected"
            + " BertNormalizer)",
        "normalizer | 'lowercase':true | 'lowercase':1 | 1 for normalizer.lowercase (expected true"
            + " or false)",
        "normalizer | 'clean_text':true | 'x':1 | nothing for normalizer.clean_text (expected true"
            + " or false)",
        "pre_tokenizer | Bert | Byte | BytePreTokenizer for pre_tokenizer.type (expected"
            + " BertPreTokenizer)",
        "pre_tokenizer | {'type':'BertPreTokenizer'} | null | nothing for pre_tokenizer (expected"
            + " an object)",
        "post_processor | BertProcessing | RobertaProcessing | RobertaProcessing for"
            + " post_processor.type (expected TemplateProcessing or BertProcessing)",
        "post_processor | '[CLS]' | 'CLS' | CLS for post_processor.cls[0] (expected a token of the"
            + " vocabulary)",
        "post_processor | ['[CLS]',1] | [] | an array for post_processor.cls (expected one of a"
            + " token and its id)",
        "post_processor | ['[CLS]',1] | ['[CLS]',2] | 2 for post_processor.cls[1] (expected 1)",
        "added_tokens | 'id':0 | 'id':1 | 1 for added_tokens[0].id (expected 0, as the vocabulary"
            + " says)",
        "added_tokens | 'lstrip':false | 'lstrip':1 | 1 for added_tokens[0].lstrip (expected true"
            + " or false)",
        "added_tokens | '[UNK]' | '' | an empty string for added_tokens[0].content (expected a text"
            + " of 1 to 1024 letters, that can be found)",
        "model | 'type':'WordPiece' | 'merges':[] | an array for model.merges (expected word"
            + " pieces, which have none)",
        "normalizer | 'type':'BertNormalizer' | 'type':'Sequence','normalizers':[{},{}] | an array"
            + " for normalizer.normalizers (expected one of a single part)"
      })
  void whatIsNotSupportedIsNamed(String section, String part, String by, String message) {
    assertRefused(
        sample().replace(section, part.replace('\'', '"'), by.replace('\'', '"')), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'type_id':0}},{'Sequence' | 'type_id':1}},{'Sequence' | 1 for"
            + " post_processor.single[0].SpecialToken.type_id (expected 0)",
        "'id':'A' | 'id':'B' | B for post_processor.single[1].Sequence.id (expected A)",
        "{'Sequence' | {'Sequence':{'id':'A','type_id':0}},{'Sequence' | the text twice in"
            + " post_processor.single (expected special tokens around it)",
        "{'Sequence':{'id':'A','type_id':0}}, | `` | no text in post_processor.single (expected one"
            + " sequence)",
        "'ids':[1] | 'ids':[77] | 77 for post_processor.special_tokens.[CLS].ids[0] (expected the"
            + " id of a token)",
        "'special_tokens' | 'tokens' | nothing for post_processor.special_tokens (expected an"
            + " object)"
      })
  void templatesThatAreNotSupported(String part, String by, String message) {
    assertRefused(
        template()
            .replace(
                "post_processor", part.replace('\'', '"'), by == null ? "" : by.replace('\'', '"')),
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | has no content (expected JSON)",
        "[] | has an array (expected an object)",
        "{} {} | has more after its first value (expected one JSON value)",
        "{ | is not JSON",
        "{'a' | is not JSON",
        "nul | is not JSON",
        "{'\\ud83d':1} | is not JSON",
        "{'model':{'type':'WordPiece','vocab':{'a':99999999999999999999}}} | is not JSON"
      })
  void whatIsNotJson(String content, String message) {
    byte[] bytes =
        (content == null ? "" : content.replace('\'', '"')).getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> WordPieceTokenizer.read("x.json", new ByteArrayInputStream(bytes)))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith("x.json " + message);
  }

  @Test
  void bytesThatAreNoText() {
    byte[] bytes = {0, 0, 0, '{', '"', '"', '"', '"'}; // begins like UTF-32
    assertThatThrownBy(() -> WordPieceTokenizer.read("x.json", new ByteArrayInputStream(bytes)))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith("x.json is not JSON: Invalid UTF-32 character");
  }

  @Test
  void deepNestingIsRefused() {
    byte[] deep = "[".repeat(1_000_000).getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> WordPieceTokenizer.read("x.json", new ByteArrayInputStream(deep)))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith("x.json is not JSON");
  }

  /** A file takes memory of the order of its size, whatever was read before. */
  @Test
  void namesOfOtherFilesAreNotKept() throws IOException {
    byte[] small = "{}".getBytes(StandardCharsets.UTF_8);
    Json.read("small", new ByteArrayInputStream(small)); // loads the classes
    byte[] large =
        IntStream.range(0, 20_000)
            .mapToObj(i -> "\"" + i + "\":0")
            .collect(Collectors.joining(",", "{", "}"))
            .getBytes(StandardCharsets.UTF_8);
    Json.read("large", new ByteArrayInputStream(large));

    long before = FileFuzz.allocatedBytes();
    Json.read("small", new ByteArrayInputStream(small));
    assertThat(FileFuzz.allocatedBytes() - before).isLessThan(50_000);
  }
}
