package dev.switchyard.bench.command;

import dev.switchyard.bench.data.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.UUID;

/**
 * Keeps other commands out of a folder: two that write to one would delete each other's files. The
 * system takes the lock away from a process that has ended in whatever way, so that a file left
 * behind by a crash locks nobody out.
 */
public final class FolderLock implements AutoCloseable {
  static final String FILE = ".switchyard.lock";

  private final Path folder;
  private final Path firstCreated;
  private final Path file;
  private final FileChannel channel;

  private FolderLock(Path folder, Path firstCreated, Path file, FileChannel channel) {
    this.folder = folder;
    this.firstCreated = firstCreated;
    this.file = file;
    this.channel = channel;
  }

  /**
   * Locks a folder, which is created if need be.
   *
   * @throws DataException if another command works in it
   * @throws UncheckedIOException if it cannot be created or written to
   */
  static FolderLock of(Path path) {
    Path folder = path.toAbsolutePath().normalize();
    Path firstCreated = firstMissing(folder);
    try {
      Files.createDirectories(folder);
      Path file = folder.resolve(FILE);
      while (true) {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (!isLocked(channel)) {
          channel.close();
          throw new DataException(
              String.format(
                  Locale.ROOT,
                  "another switchyard command works in %s (expected another folder, or that command"
                      + " to end first)",
                  path));
        }
        // Whoever had the lock may have deleted the file since it was opened.
        if (isThere(file, channel)) {
          return new FolderLock(folder, firstCreated, file, channel);
        }
        channel.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "the folder %s cannot be written to: %s", path, Reason.of(e)),
          e);
    }
  }

  private static Path firstMissing(Path folder) {
    Path missing = null;
    for (Path path = folder; path != null && !Files.exists(path); path = path.getParent()) {
      missing = path;
    }
    return missing;
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) { // by this process
      return false;
    }
  }

  /** Whether the locked file is the one that others find under its name. */
  private static boolean isThere(Path file, FileChannel channel) throws IOException {
    byte[] sign = UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(sign), 0);
    try {
      return Arrays.equals(Files.readAllBytes(file), sign);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Lets others in, and leaves no folder that was made for nothing. */
  @Override
  public void close() {
    try (channel) {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The lock ends with the process at the latest.
    }
    if (firstCreated != null) {
      deleteEmpty();
    }
  }

  private void deleteEmpty() {
    try {
      for (Path path = folder; path.startsWith(firstCreated); path = path.getParent()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      // There is something in it, as there should be.
    }
  }
}
