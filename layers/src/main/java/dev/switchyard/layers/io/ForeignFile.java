package dev.switchyard.layers.io;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Files that are found in place of a model, told apart by how they begin: what a download without
 * its tool left, or a model in a format that is not read here.
 */
public enum ForeignFile {
  /** What Git keeps in place of a large file. */
  LFS_POINTER(
      "a Git LFS pointer, not the file that it stands for (git lfs pull fetches that)",
      "version https://git-lfs"),
  /** The page of a file, or of an error, in place of the file. */
  WEB_PAGE(
      "a web page, not the file that it may show (download the file itself)",
      "<!doctype html|<html"),
  /** An archive, which the files of newer PyTorch are too. */
  ZIP(
      "a zip archive, as PyTorch writes its models too (unpack it, or convert it to safetensors)",
      "PK\3\4"),
  /** What PyTorch wrote before. */
  PICKLE(
      "a Python pickle, as PyTorch wrote its models (convert it to safetensors)", "\u0080[\2-\5]"),
  /** Compressed by gzip. */
  GZIP("compressed by gzip (unpack it)", "\u001f\u008b"),
  /** A model of Keras. */
  HDF5("an HDF5 file, as Keras writes its models (convert it to safetensors)", "\u0089HDF"),
  /** A model of llama.cpp. */
  GGUF("a GGUF file, as llama.cpp reads them (convert it to safetensors)", "GGUF");

  /** How many bytes of a file tell, white space before them included. */
  public static final int HEAD = 64;

  private final String what;
  private final Pattern beginning;

  ForeignFile(String what, String beginning) {
    this.what = what;
    this.beginning = Pattern.compile(beginning, Pattern.CASE_INSENSITIVE);
  }

  /**
   * What a file is, if it is one of these.
   *
   * @param head its first {@link #HEAD} bytes, fewer if it has fewer
   * @return the kind of file
   */
  public static Optional<ForeignFile> of(byte[] head) {
    String text =
        new String(head, StandardCharsets.ISO_8859_1)
            .replaceFirst("^(\u00ef\u00bb\u00bf)?[ \\t\\r\\n]*", ""); // and the mark of UTF-8
    for (ForeignFile kind : values()) {
      if (kind.beginning.matcher(text).lookingAt()) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  /** What it is, and what to do about it, as the rest of a sentence that begins with its name. */
  @Override
  public String toString() {
    return "is " + what;
  }
}
