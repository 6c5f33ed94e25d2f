package dev.switchyard.bench.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A case in a process of its own, from both sides. */
final class SoakProcess {
  /** A hundred times what the slowest takes on two cores. */
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static final long MOST_NANOS_UNTIL_KILLED = Duration.ofMillis(300).toNanos();

  private SoakProcess() {}

  /**
   * Runs the case of a number in this process, which its parent has started.
   *
   * @param arguments seed, number, most threads and folder
   */
  public static void main(String[] arguments) throws IOException {
    SoakCase drawn =
        SoakCase.draw(
            Long.parseLong(arguments[0]),
            Long.parseLong(arguments[1]),
            Integer.parseInt(arguments[2]));
    try {
      new FaultyTraining(drawn, Path.of(arguments[3])).run();
    } catch (WrongResult e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }

  /**
   * Starts a process for a case and waits for its end, or kills it and goes on where it was.
   *
   * @param folder an empty one
   */
  static void run(SoakCase drawn, Path folder)
      throws WrongResult, IOException, InterruptedException {
    Path log = folder.resolve("log");
    Path scene = Files.createDirectory(folder.resolve("scene"));
    Process process = start(drawn, scene, log);
    try {
      if (drawn.fault() == Fault.KILL) {
        kill(drawn, new FaultyTraining(drawn, scene), process, log);
      } else if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        throw new WrongResult("a process did not end within " + LIMIT + said(log));
      } else if (process.exitValue() != 0) {
        throw new WrongResult("a process ended with " + process.exitValue() + said(log));
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static Process start(SoakCase drawn, Path folder, Path log) throws IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseG1GC", // gives up on a full heap sooner than others
                "-Xmx64m",
                // All of it from the start: later there may be no more executable memory.
                "-XX:ReservedCodeCacheSize=48m",
                "-XX:InitialCodeCacheSize=48m",
                "-cp",
                System.getProperty("java.class.path"),
                SoakProcess.class.getName(),
                Long.toString(drawn.seed()),
                Long.toString(drawn.number()),
                Integer.toString(drawn.mostThreads()),
                folder.toString()))
        .directory(folder.getParent().toFile())
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  private static void kill(SoakCase drawn, FaultyTraining training, Process process, Path log)
      throws WrongResult, IOException, InterruptedException {
    long start = System.nanoTime();
    while (!Files.exists(training.file())) {
      if (!process.isAlive() || System.nanoTime() - start > LIMIT.toNanos()) {
        throw new WrongResult("a process wrote no checkpoint" + said(log));
      }
      LockSupport.parkNanos(1_000_000);
    }
    LockSupport.parkNanos(new Draw(drawn.random(4)).upTo(MOST_NANOS_UNTIL_KILLED));
    process.destroyForcibly().waitFor();
    training.resume();
  }

  private static String said(Path log) throws IOException {
    return ", it said: " + Files.readString(log).strip();
  }
}
