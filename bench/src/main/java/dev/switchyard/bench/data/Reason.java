package dev.switchyard.bench.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** Why input or output failed, for people: many exceptions of the JDK have a name for a message. */
public final class Reason {
  private Reason() {}

  /** What happened to a file, which is named: not every exception does. */
  public static String of(Path file, IOException error) {
    String reason = of(error);
    return reason.contains(file.toString()) ? reason : file + ": " + reason;
  }

  /** What happened, without a full stop. */
  public static String of(IOException error) {
    return switch (error) {
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> "access to " + e.getFile() + " is denied";
      case NotDirectoryException e -> e.getFile() + " is no folder";
      case FileAlreadyExistsException e -> e.getFile() + " is there already, and no folder";
      case FileSystemException e when e.getReason() != null ->
          e.getFile() == null ? e.getReason() : e.getFile() + ": " + e.getReason();
      case EOFException _ -> "it ends too soon";
      case CharacterCodingException _ -> "it is not in UTF-8";
      default -> error.getMessage() == null ? error.toString() : error.getMessage();
    };
  }
}
