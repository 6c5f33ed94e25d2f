package dev.switchyard.bench.command;

import dev.switchyard.bench.data.Reason;
import dev.switchyard.layers.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Where a command writes its results. Each file is complete or absent.
 *
 * @param path the folder, which need not exist yet
 */
public record OutputFolder(Path path) {
  /**
   * Creates the folder, so that one that cannot be written to is found before the work is done.
   *
   * @throws UncheckedIOException if it cannot be created
   */
  public void create() {
    try {
      Files.createDirectories(path);
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "the folder %s cannot be created: %s", path, Reason.of(e)), e);
    }
  }

  /**
   * Keeps other commands out of the folder until it is closed; creates it if need be, so that one
   * that cannot be written to is found before the work is done.
   *
   * @throws dev.switchyard.bench.data.DataException if another command works in it
   * @throws UncheckedIOException if it cannot be created or written to
   */
  public FolderLock lock() {
    return FolderLock.of(path);
  }

  /**
   * Refuses to replace what an earlier command has written.
   *
   * @throws IllegalArgumentException if the file is there
   */
  public void requireAbsent(String name) {
    if (Files.exists(path.resolve(name))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is there already (expected another folder for --out, or the file to be removed)",
              path.resolve(name)));
    }
  }

  /**
   * Deletes the folder with all that is in it, if there is one, and the folder that it was in if
   * that is empty then.
   *
   * @throws UncheckedIOException if something in it cannot be deleted
   */
  public void delete() {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> files = Files.walk(path)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
      deleteIfEmpty(path.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "the folder %s cannot be deleted: %s", path, Reason.of(e)), e);
    }
  }

  private static void deleteIfEmpty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      if (files.findAny().isPresent()) {
        return;
      }
    }
    Files.delete(folder);
  }

  /**
   * Writes a file in UTF-8.
   *
   * @throws UncheckedIOException if it cannot be written
   */
  public void write(String name, String content) {
    Path file = path.resolve(name);
    try {
      AtomicFile.write(file, out -> out.write(content.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(
          String.format(Locale.ROOT, "%s cannot be written: %s", file, Reason.of(e)), e);
    }
  }
}
