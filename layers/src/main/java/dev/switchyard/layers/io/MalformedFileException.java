package dev.switchyard.layers.io;

import java.io.IOException;

/**
 * A file that is truncated, damaged or not of the format it should be of. The message is a sentence
 * that names the file, what it holds and what was expected. Failures of the disk itself are other
 * {@link IOException}s.
 */
public final class MalformedFileException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * A file that is not what it should be.
   *
   * @param message a sentence with the file, what it holds and what was expected
   */
  public MalformedFileException(String message) {
    super(message);
  }
}
