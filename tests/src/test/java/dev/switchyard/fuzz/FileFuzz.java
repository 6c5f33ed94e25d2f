package dev.switchyard.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * Reads damaged files. Each must give something that can be used, or what its reader promises to
 * throw, in words that name the file; it must come to an end, and allocate no more than is in
 * proportion to the file.
 *
 * <p>Two system properties, which Maven hands on: {@code -Dswitchyard.fuzz.files} is the number of
 * files of each format, for a longer campaign than that of a build, and {@code
 * -Dswitchyard.fuzz.seed} the seed of the first file; each further file takes the next. A failure
 * names the seed of its file: with that and one file it happens again.
 */
public final class FileFuzz {
  private static final int FILES = Integer.getInteger("switchyard.fuzz.files", 300);
  private static final long SEED = Long.getLong("switchyard.fuzz.seed", 1);

  /** What a reader may allocate: so much for buffers, and so often the bytes of what it reads. */
  private static final long BUFFERS = 1 << 20;

  private static final int TIMES_THE_CONTENT = 50;

  /** The most that a byte of a compressed file can stand for. */
  private static final int MOST_COMPRESSION = 1032;

  /** A thousand times what the slowest takes: whatever takes longer does not end. */
  private static final int SECONDS = 60;

  private static final MBeanServer BEANS = ManagementFactory.getPlatformMBeanServer();

  private FileFuzz() {}

  /** Reads damaged files of a format in a folder. */
  public static void check(FileFormat format, Path folder) throws IOException {
    Path file = folder.resolve(format.file());
    Files.write(file, format.sample());
    format.reader().read(file);
    int refused = 0;
    // Not closed, which would wait for a reader that does not end.
    ExecutorService thread =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    try {
      for (long seed = SEED; seed < SEED + FILES; seed++) {
        byte[] bytes = format.damaged().apply(new SplittableRandom(seed));
        Files.write(file, bytes);
        Outcome outcome = ended(thread.submit(() -> outcome(format, file, bytes.length)));
        if (outcome.wrong != null) {
          fail("%s, switchyard.fuzz.seed=%d: %s", format, seed, outcome.wrong);
        }
        refused += outcome.refused ? 1 : 0;
      }
    } finally {
      thread.shutdownNow();
    }
    if (FILES > 1) { // a campaign has some of both
      assertThat(refused).isBetween(FILES / 4, FILES - FILES / 100);
    }
  }

  private static Outcome ended(Future<Outcome> reading) {
    try {
      return reading.get(SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException _) {
      return new Outcome(false, "not read in " + SECONDS + " s");
    } catch (ExecutionException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private record Outcome(boolean refused, String wrong) {}

  private static Outcome outcome(FileFormat format, Path file, int length) {
    long before = allocatedBytes();
    Throwable thrown = null;
    try {
      format.reader().read(file);
    } catch (Throwable t) {
      thrown = t;
    }
    long allocated = allocatedBytes() - before;
    String wrong = thrown == null ? null : wrong(format, file, thrown);
    boolean compressed = format.file().endsWith(".gz");
    long content = (long) length * (compressed ? MOST_COMPRESSION : 1);
    if (wrong == null && allocated > BUFFERS + TIMES_THE_CONTENT * content) {
      wrong = allocated + " bytes were allocated for a file of " + length;
    }
    return new Outcome(thrown != null, wrong);
  }

  private static String wrong(FileFormat format, Path file, Throwable thrown) {
    if (!format.refusals().contains(thrown.getClass())) {
      StackTraceElement[] trace = thrown.getStackTrace();
      return thrown + (trace.length == 0 ? "" : " at " + trace[0]);
    }
    boolean named = String.valueOf(thrown.getMessage()).contains(file.toString());
    return named ? null : "a message that does not name the file: " + thrown.getMessage();
  }

  /** How many bytes this thread has allocated so far. */
  public static long allocatedBytes() {
    try {
      return (long)
          BEANS.getAttribute(
              new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME), "CurrentThreadAllocatedBytes");
    } catch (JMException e) {
      throw new AssertionError(e);
    }
  }
}
