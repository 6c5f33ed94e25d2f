package dev.switchyard.bench.train;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Writes a file so that its name never stands for half a file: under another name in the same
 * folder, then moved in one step. If anything fails, what stood there before stays.
 */
final class AtomicFile {
  private AtomicFile() {}

  static void write(Path target, Content content) throws IOException {
    // The process id keeps two runs with one output folder out of each other's way.
    Path temporary =
        target.resolveSibling(
            "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
    try {
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary))) {
        content.writeTo(out);
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** What is to be in a file. */
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }
}
