package dev.switchyard.layers.io;

import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file so that its name never stands for half a file: under another name in the same
 * folder, forced to the disk, then moved in one step. If anything fails before that step, what
 * stood there before stays, and the other file is removed; only a process that is killed leaves it
 * behind.
 *
 * <p>Thread-safe: of several that write one file at a time, the last to finish wins.
 */
public final class AtomicFile {
  /** How the names of unfinished files end. */
  static final String UNFINISHED = ".tmp";

  /** As many as Linux follows. */
  private static final int MOST_LINKS = 40;

  private AtomicFile() {}

  /**
   * Writes a file, or replaces it. A symbolic link stays, and what it points to is written.
   *
   * @param target the file, in a folder that exists
   * @param content what it shall hold
   * @throws IOException if it cannot be written, or {@code content} throws it. If it is the folder
   *     that cannot be forced to the disk, the new file is complete, but may be lost with the power
   */
  public static void write(Path target, Content content) throws IOException {
    Path file = behindLinks(target.toAbsolutePath());
    if (!Files.isDirectory(file.getParent())) {
      throw new IOException(
          file.getParent() + " is no folder (expected one to write " + file.getFileName() + " to)");
    }
    // Of one's own: in two containers that share a folder, processes may have the same number.
    Path unfinished =
        file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
    try {
      try (FileChannel channel =
          FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
        content.writeTo(out);
        out.flush();
        channel.force(true); // else the move may reach the disk before the content
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
    forceFolder(file.getParent());
  }

  /** The file that a link points to in the end, which may not be there yet. */
  private static Path behindLinks(Path file) throws IOException {
    Path at = file;
    for (int links = 0; Files.isSymbolicLink(at); links++) {
      if (links == MOST_LINKS) {
        throw new IOException(file + " is a link that leads nowhere (expected a file at its end)");
      }
      at = at.resolveSibling(Files.readSymbolicLink(at));
    }
    return at;
  }

  /** Makes a change of names in a folder last. */
  private static void forceFolder(Path folder) throws IOException {
    if (File.separatorChar == '\\') {
      return; // Windows opens no folders, and writes their changes in order by itself
    }
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** What is to be in a file. */
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param out where to; buffered, and closed by the caller
     * @throws IOException to give up
     */
    void writeTo(OutputStream out) throws IOException;
  }
}
