package dev.switchyard.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that is written over another. */
public final class WrittenFile implements WholeChange.Subject {
  /** What writes a file. */
  public interface Write {
    /** Writes all of it. */
    void to(Path file) throws IOException;
  }

  private final Path file;
  private final Write write;

  /** What is written over a file that this makes. */
  public WrittenFile(Path file, Write write) throws IOException {
    this.file = file;
    this.write = write;
    Files.writeString(file, "before");
  }

  @Override
  public void change() throws IOException {
    write.to(file);
  }

  @Override
  public Object state() throws IOException {
    return Files.readAllBytes(file);
  }
}
