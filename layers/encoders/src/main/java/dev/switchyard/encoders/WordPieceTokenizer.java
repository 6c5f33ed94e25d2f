package dev.switchyard.encoders;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * BERT's tokenizer (Devlin et al. 2019, section 3), read from the {@code tokenizer.json} of the
 * Hugging Face tokenizers library, whose ids it reproduces exactly: a text is cleaned, made small
 * and stripped of accents as the file says, cut into words at white space and punctuation, and the
 * words into pieces of a vocabulary.
 *
 * <p>It takes time in proportion to the length of a text, and memory for its tokens. What the file
 * says about truncation and padding is for batches of one length, which this library has no use
 * for: {@link #encode(String, int)} says where to cut. Half a surrogate pair is removed with the
 * control characters. Immutable and thread-safe.
 */
public final class WordPieceTokenizer {
  private final AddedTokens added;
  private final AddedTokens addedToNormalized;
  private final BertNormalizer normalizer;
  private final WordPieces pieces;
  private final int[] before;
  private final int[] after;
  private final int vocabularySize;

  WordPieceTokenizer(
      AddedTokens added,
      AddedTokens addedToNormalized,
      BertNormalizer normalizer,
      WordPieces pieces,
      int[] before,
      int[] after,
      int vocabularySize) {
    this.added = added;
    this.addedToNormalized = addedToNormalized;
    this.normalizer = normalizer;
    this.pieces = pieces;
    this.before = before;
    this.after = after;
    this.vocabularySize = vocabularySize;
  }

  /**
   * Reads a tokenizer.
   *
   * @param file a {@code tokenizer.json}, or a vocabulary of one token a line, such as {@code
   *     vocab.txt}, as older models have it. With a vocabulary, letters become small unless {@code
   *     do_lower_case} in the {@code tokenizer_config.json} beside it says otherwise
   * @return the tokenizer
   * @throws ModelFileException if it is not one, or asks for anything but BERT's normalizer, words
   *     and word pieces
   * @throws IOException if it cannot be read
   */
  public static WordPieceTokenizer read(Path file) throws IOException {
    if (file.toString().endsWith(".txt")) {
      return VocabularyFile.read(file);
    }
    try (InputStream in = Files.newInputStream(file)) {
      return read(file.toString(), in);
    }
  }

  /**
   * Reads a tokenizer from a stream, such as a resource.
   *
   * @param name what messages call it
   * @param in the content of a {@code tokenizer.json}, which is read to its end and closed
   * @return the tokenizer
   * @throws ModelFileException as {@link #read(Path)} does
   * @throws IOException if it cannot be read
   */
  public static WordPieceTokenizer read(String name, InputStream in) throws IOException {
    return new TokenizerFile(name, Json.read(name, in)).tokenizer();
  }

  /**
   * The tokens of a whole text.
   *
   * @param text any text
   * @return ids, between those of the tokens that begin and end a text
   */
  public int[] encode(String text) {
    return encode(text, Integer.MAX_VALUE);
  }

  /**
   * The first tokens of a text. No more of it is looked at than is needed, unless the file has
   * tokens that are found in normalized text.
   *
   * @param text any text
   * @param maxTokens how many at most, with those that begin and end a text
   * @return ids, between those of the tokens that begin and end a text
   * @throws IllegalArgumentException if there is no room for these
   */
  public int[] encode(String text, int maxTokens) {
    int around = specialTokens();
    if (maxTokens < around) {
      throw new IllegalArgumentException(
          "maxTokens is " + maxTokens + " (expected " + around + " or more)");
    }
    Words words = new Words(pieces, maxTokens - around);
    added.split(text, words, (part, from, to) -> normalize(part, from, to, words));
    return words.between(before, after);
  }

  private void normalize(String text, int from, int to, Words words) {
    if (addedToNormalized.isEmpty()) {
      normalizer.normalize(text, from, to, words);
      words.end();
    } else {
      StringBuilder normalized = new StringBuilder();
      normalizer.normalize(text, from, to, normalized::appendCodePoint);
      addedToNormalized.split(
          normalized.toString(),
          words,
          (part, begin, end) -> {
            part.substring(begin, end).codePoints().forEach(words::accept);
            words.end();
          });
    }
  }

  /**
   * What a token stands for, as the vocabulary writes it: pieces that go on with a word begin with
   * {@code ##}, or whatever the file says.
   *
   * @param id of a token
   * @return its text
   * @throws IllegalArgumentException if no token of the vocabulary has that id
   */
  public String piece(int id) {
    String piece = pieces.piece(id);
    if (piece == null) {
      throw new IllegalArgumentException(
          "no token has the id " + id + " (expected 0 to " + (vocabularySize - 1) + ")");
    }
    return piece;
  }

  /**
   * How many tokens begin and end each text, which are not the text's own.
   *
   * @return their number, 0 if texts stand alone
   */
  public int specialTokens() {
    return before.length + after.length;
  }

  /**
   * The size of the vocabulary.
   *
   * @return one more than the largest id
   */
  public int vocabularySize() {
    return vocabularySize;
  }
}
