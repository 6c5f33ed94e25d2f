package dev.switchyard.layers.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The last few checkpoints of one run, in files {@code step-000000001200.safetensors}. Only one
 * process and thread may use a folder at a time; other files in it are left alone.
 */
public final class CheckpointFolder {
  private static final Pattern NAME = Pattern.compile("step-(\\d{12,18})\\.safetensors");
  private static final Pattern UNFINISHED =
      Pattern.compile("\\." + NAME.pattern() + "\\..*" + Pattern.quote(AtomicFile.UNFINISHED));

  private record Saved(Path file, long step) {}

  private final Path folder;
  private final int keep;
  private final Consumer<String> warnings;

  /**
   * The checkpoints in a folder.
   *
   * @param folder where; made when the first is saved
   * @param keep how many to keep, from 1
   * @param warnings is told in a sentence of each damaged checkpoint that was passed over
   * @throws IllegalArgumentException if {@code keep} is less than 1
   */
  public CheckpointFolder(Path folder, int keep, Consumer<String> warnings) {
    if (keep < 1) {
      throw new IllegalArgumentException("keep is " + keep + " (expected 1 or more)");
    }
    this.folder = Objects.requireNonNull(folder, "folder");
    this.keep = keep;
    this.warnings = Objects.requireNonNull(warnings, "warnings");
  }

  /**
   * Saves a checkpoint under its step, then deletes those before it but the last {@code keep - 1},
   * and what a killed process left unfinished. Checkpoints of later steps are not touched: they may
   * be of a run that was gone back from.
   *
   * @param checkpoint what to save
   * @return its file
   * @throws IOException if it cannot be saved; all that were there still are, and no folder that
   *     was not. If it is the deleting that fails, the new one is saved
   */
  public Path save(Checkpoint checkpoint) throws IOException {
    long step = checkpoint.progress().step();
    Path file = folder.resolve(String.format(Locale.ROOT, "step-%012d.safetensors", step));
    List<Path> missing = missing();
    try {
      Files.createDirectories(folder);
      for (Path unfinished : list(UNFINISHED)) {
        Files.deleteIfExists(unfinished); // first: the disk may be full of them
      }
      checkpoint.write(file);
    } catch (Throwable e) {
      removeEmpty(missing);
      throw e;
    }
    for (Saved old : newestFirst().stream().filter(s -> s.step() <= step).skip(keep).toList()) {
      Files.deleteIfExists(old.file());
    }
    return file;
  }

  /** The folders that are yet to be made, the innermost first. */
  private List<Path> missing() {
    return Stream.iterate(folder.toAbsolutePath(), Objects::nonNull, Path::getParent)
        .takeWhile(Files::notExists)
        .toList();
  }

  private static void removeEmpty(List<Path> folders) {
    try {
      for (Path made : folders) {
        Files.deleteIfExists(made);
      }
    } catch (IOException e) {
      // It is in use, or why nothing was written holds here too; that is what is told.
    }
  }

  /**
   * Reads the newest checkpoint that is not damaged.
   *
   * @return the checkpoint, or none if the folder has no valid one
   * @throws IOException if a file cannot be read for another reason than its content: going further
   *     back over a failure that may pass would throw work away
   */
  public Optional<Checkpoint> newest() throws IOException {
    for (Saved saved : newestFirst()) {
      try {
        return Optional.of(Checkpoint.read(saved.file()));
      } catch (MalformedFileException e) {
        warnings.accept(e.getMessage() + "; the checkpoint before it is taken, if there is one");
      }
    }
    return Optional.empty();
  }

  /**
   * Deletes all checkpoints, finished and unfinished, so that another run can use the folder.
   *
   * @throws IOException if one cannot be deleted
   */
  public void clear() throws IOException {
    for (Path file : list(UNFINISHED)) {
      Files.deleteIfExists(file);
    }
    for (Path file : list(NAME)) {
      Files.deleteIfExists(file);
    }
  }

  private List<Saved> newestFirst() throws IOException {
    return list(NAME).stream()
        .map(file -> new Saved(file, step(file)))
        .sorted(Comparator.comparingLong(Saved::step).reversed())
        .toList();
  }

  private static long step(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }

  private List<Path> list(Pattern name) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> name.matcher(file.getFileName().toString()).matches())
          .filter(Files::isRegularFile)
          .toList();
    }
  }
}
