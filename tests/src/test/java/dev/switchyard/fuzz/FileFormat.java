package dev.switchyard.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * A format of files, and what its reader promises.
 *
 * @param file how a file is called
 * @param sample one that is right
 * @param damaged makes one that is not, most likely
 * @param reader reads a file and checks that what it got can be used
 * @param refusals what the reader may throw of a file
 */
public record FileFormat(
    String file,
    byte[] sample,
    Function<SplittableRandom, byte[]> damaged,
    Reader reader,
    List<Class<?>> refusals) {
  /** Reads a file, and all that is in it. */
  public interface Reader {
    /** Throws an {@link AssertionError} if what was read is not right. */
    void read(Path file) throws IOException;
  }

  /** A format whose bytes are damaged as they are. */
  public static FileFormat of(String file, byte[] sample, Reader reader, Class<?>... refusals) {
    return of(file, sample, random -> Damage.of(sample, random), reader, refusals);
  }

  /** A format with damage of its own. */
  public static FileFormat of(
      String file,
      byte[] sample,
      Function<SplittableRandom, byte[]> damaged,
      Reader reader,
      Class<?>... refusals) {
    return new FileFormat(file, sample, damaged, reader, List.of(refusals));
  }

  @Override
  public String toString() {
    return file;
  }
}
