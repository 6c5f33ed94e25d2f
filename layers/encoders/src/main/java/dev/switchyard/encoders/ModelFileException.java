package dev.switchyard.encoders;

import dev.switchyard.layers.io.ForeignFile;
import java.io.IOException;
import java.util.Optional;

/**
 * A model's file that is truncated, damaged, or asks for something that this library does not do.
 * The message is a sentence that names the file, what it holds and what was expected.
 */
public final class ModelFileException extends IOException {
  private static final long serialVersionUID = 1;

  ModelFileException(String message) {
    super(message);
  }

  /** What a file has at some place of it, and what belongs there. */
  ModelFileException(String file, String given, String expected) {
    super(file + " has " + given + " (expected " + expected + ")");
  }

  /** Names a file as what it is that is found in place of a model, by its first bytes. */
  static void refuseForeign(String file, byte[] head) throws ModelFileException {
    Optional<ForeignFile> foreign = ForeignFile.of(head);
    if (foreign.isPresent()) {
      throw new ModelFileException(file + " " + foreign.get());
    }
  }
}
