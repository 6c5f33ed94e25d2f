package dev.switchyard.bench.command;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.data.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Keeps other commands out of a folder: two that write to one would delete each other's files. The
 * system takes the lock away from a process that has ended in whatever way, so that a file left
 * behind by a crash locks nobody out.
 */
public final class FolderLock implements AutoCloseable {
  static final String FILE = ".switchyard.lock";

  private static final long MOST_LENGTH = 1 << 22;

  /**
   * The files that this process has locked: they must not be opened again, as closing any channel
   * of a file ends all locks that a process has on it.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

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
      Path file = folder.toRealPath().resolve(FILE);
      FileChannel channel = HELD.add(file) ? lock(file) : null;
      if (channel != null) {
        return new FolderLock(folder, firstCreated, file, channel);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "the folder %s cannot be written to: %s", path, Reason.of(e)),
          e);
    }
    throw new DataException(
        String.format(
            Locale.ROOT,
            "another switchyard command works in %s (expected another folder, or that command to"
                + " end first)",
            path));
  }

  /** The channel that has the lock; null if another process has it. */
  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel = null;
    boolean locked = false;
    try {
      do { // whoever had the lock may have deleted the file since it was opened
        if (channel != null) {
          channel.close();
        }
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
          return null;
        }
      } while (!isThere(file, channel));
      locked = true;
      return channel;
    } finally {
      if (!locked) {
        HELD.remove(file);
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  private static Path firstMissing(Path folder) {
    Path missing = null;
    for (Path path = folder; path != null && !Files.exists(path); path = path.getParent()) {
      missing = path;
    }
    return missing;
  }

  /** Whether the locked file is the one that others find under its name: by a length of its own. */
  private static boolean isThere(Path file, FileChannel channel) throws IOException {
    long length = 1 + ThreadLocalRandom.current().nextLong(MOST_LENGTH);
    channel.truncate(0);
    channel.write(ByteBuffer.allocate(1), length - 1);
    try {
      return Files.size(file) == length;
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
    } finally {
      HELD.remove(file);
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
