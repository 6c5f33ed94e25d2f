package dev.switchyard.bench.soak;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.io.Checkpoint;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * A model in training while something goes wrong, beside a calm one: however often a step has to be
 * made again, both have to come to the same bits; and a checkpoint is the old one or the new one,
 * whole.
 */
final class FaultyTraining {
  /**
   * What a full heap is filled with, in bytes, and how many of them are spared at most, as a power
   * of 2.
   */
  private static final int PIECE = 1 << 14;

  private static final int SPARE_BITS = 11;

  private static final int MOST_STEPS_UNTIL_KILLED = 1000;

  private final SoakCase drawn;
  private final Draw draw;
  private final Path folder;
  private final Path file;
  private final Trainee calm;
  private long nanosOfStep;

  FaultyTraining(SoakCase drawn, Path folder) {
    this.drawn = drawn;
    this.folder = folder;
    file = folder.resolve("checkpoint");
    draw = new Draw(drawn.random(3));
    calm = new Trainee(drawn, kernels().serial());
  }

  /** Trains with the fault of the case, in this process. */
  void run() throws WrongResult, IOException {
    switch (drawn.fault()) {
      case INTERRUPT -> interrupted();
      case CLOSED_EXECUTOR -> closedExecutor();
      case ALLOCATION -> allocation();
      case EXECUTABLE_MEMORY -> executableMemory();
      case FULL_DISK -> fullDisk();
      case KILL -> untilKilled();
      default -> throw new IllegalArgumentException(drawn.fault() + " (expected a fault)");
    }
  }

  private Map<String, FloatMatrix> calmStep() {
    long start = System.nanoTime();
    Map<String, FloatMatrix> results = calm.step();
    nanosOfStep = System.nanoTime() - start;
    return results;
  }

  private Kernels kernels() {
    return drawn.kernels(Parallel.ofThreads(drawn.threads()));
  }

  private void interrupted() throws WrongResult, IOException {
    Trainee trainee = new Trainee(drawn, kernels());
    Thread self = Thread.currentThread();
    trainee.checkpoint().write(file);
    for (int step = 0; step < drawn.steps(); step++) {
      Map<String, FloatMatrix> expected = calmStep();
      Disturber disturber = new Disturber(draw.upTo(nanosOfStep), self::interrupt);
      Map<String, FloatMatrix> results = trainee.step();
      disturber.await();
      requireInterrupted("a step");
      Results.requireSame("interrupted in step " + step, expected, results);
      writeInterrupted(trainee.checkpoint());
    }
    Results.requireSame("after interrupts", calm.state(), trainee.state());
  }

  /** A channel closes under an interrupted thread, which may come before, during or after. */
  private void writeInterrupted(Checkpoint checkpoint) throws WrongResult, IOException {
    byte[] old = Files.readAllBytes(file);
    Disturber disturber = new Disturber(draw.upTo(nanosOfStep), Thread.currentThread()::interrupt);
    try {
      checkpoint.write(file);
    } catch (IOException _) {
      // as it may be
    }
    disturber.await();
    requireInterrupted("writing");
    requireOnly(file);
    if (!Arrays.equals(old, Files.readAllBytes(file))) {
      Checkpoint.read(file); // the new one, whole
    }
  }

  private static void requireInterrupted(String where) throws WrongResult {
    if (!Thread.interrupted()) {
      throw new WrongResult(where + " lost an interrupt (expected the thread to stay interrupted)");
    }
  }

  private void closedExecutor() throws WrongResult {
    int threads = Math.max(2, drawn.threads());
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      closedExecutor(executor, threads);
    }
  }

  private void closedExecutor(ExecutorService executor, int threads) throws WrongResult {
    Trainee trainee = new Trainee(drawn, drawn.kernels(Parallel.over(executor, threads)));
    int end = draw.between(0, drawn.steps() - 1);
    Runnable close = draw.oneIn(2) ? executor::shutdown : executor::shutdownNow;
    for (int step = 0; step < drawn.steps(); step++) {
      Map<String, FloatMatrix> expected = calmStep();
      Disturber disturber = step == end ? new Disturber(draw.upTo(nanosOfStep), close) : null;
      Results.requireSame("step " + step + " over an executor", expected, trainee.step());
      if (disturber != null) {
        disturber.await();
      }
    }
    Results.requireSame("after the executor was closed", calm.state(), trainee.state());
  }

  /** Whatever a step was at when the heap was full, the last checkpoint is there to go on from. */
  private void allocation() throws WrongResult, IOException {
    Kernels kernels = kernels();
    new Trainee(drawn, kernels).step(); // loads classes, which cannot be tried twice
    Trainee trainee = new Trainee(drawn, kernels);
    trainee.checkpoint().write(file);
    for (int step = 0; step < drawn.steps(); step++) {
      Map<String, FloatMatrix> expected = calmStep();
      for (int attempt = 0; attempt < 3; attempt++) {
        try {
          stepWithFullHeap(trainee, draw.between(0, 1 << draw.between(0, SPARE_BITS)));
        } catch (OutOfMemoryError _) {
          // from wherever the step was
        }
        trainee = new Trainee(drawn, kernels);
        trainee.resume(Checkpoint.read(file));
      }
      Results.requireSame("after failed allocations, step " + step, expected, trainee.step());
      trainee.checkpoint().write(file);
    }
    Results.requireSame("after failed allocations", calm.state(), trainee.state());
  }

  /** With room for so many pieces, found without allocating anything. */
  private static void stepWithFullHeap(Trainee trainee, int spare) {
    byte[][] hog = new byte[(int) (Runtime.getRuntime().maxMemory() / PIECE)][];
    int filled = fill(hog);
    for (int i = Math.max(0, filled - spare); i < filled; i++) {
      hog[i] = null;
    }
    try {
      trainee.step();
    } finally {
      Reference.reachabilityFence(hog);
    }
  }

  private static int fill(byte[][] hog) {
    int filled = 0;
    try {
      while (filled < hog.length) {
        hog[filled] = new byte[PIECE];
        filled++;
      }
    } catch (OutOfMemoryError _) {
      // full
    }
    return filled;
  }

  private void executableMemory() throws WrongResult {
    SystemLimits.refuseExecutableMemory();
    try {
      throw new WrongResult(
          BackendChoice.named("x86") + " (expected that it says what was refused)");
    } catch (IllegalStateException e) {
      if (!String.valueOf(e.getMessage()).contains("the operating system refused")) {
        throw new WrongResult("without executable memory: " + e);
      }
    }
    BackendChoice other = BackendChoice.automatic();
    if (other.name().startsWith("x86")) {
      throw new WrongResult(other + " (expected one without machine code)");
    }
    Kernels kernels = Kernels.create(other, Parallel.ofThreads(drawn.threads()));
    new ReferenceCheck(drawn, kernels).run();
  }

  private void fullDisk() throws WrongResult, IOException {
    Trainee trainee = new Trainee(drawn, kernels());
    trainee.checkpoint().write(file);
    for (int step = 0; step < drawn.steps(); step++) {
      Results.requireSame("step " + step, calmStep(), trainee.step());
      byte[] old = Files.readAllBytes(file);
      SystemLimits.limitFiles(draw.between(0, old.length - 1));
      try {
        trainee.checkpoint().write(file);
        throw new WrongResult("a checkpoint was written to a full disk (expected an exception)");
      } catch (IOException _) {
        // as it is to be
      } finally {
        SystemLimits.unlimitFiles();
      }
      requireOnly(file);
      requireIntact(old);
      trainee.checkpoint().write(file);
      trainee = new Trainee(drawn, kernels());
      trainee.resume(Checkpoint.read(file));
    }
    Results.requireSame("after full disks", calm.state(), trainee.state());
  }

  private void untilKilled() throws IOException {
    Trainee trainee = new Trainee(drawn, kernels());
    for (int step = 0; step < MOST_STEPS_UNTIL_KILLED; step++) {
      trainee.step();
      trainee.checkpoint().write(file);
    }
  }

  /** Goes on from where another process was killed. */
  void resume() throws WrongResult, IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> others = files.filter(path -> !path.equals(file) && !isUnfinished(path)).toList();
      if (!others.isEmpty()) {
        throw new WrongResult("a killed process left " + others);
      }
    }
    Trainee trainee = new Trainee(drawn, kernels());
    trainee.resume(Checkpoint.read(file));
    while (calm.steps() < trainee.steps()) {
      calmStep();
    }
    Results.requireSame("what a killed process left", calm.state(), trainee.state());
    for (int step = 0; step < drawn.steps(); step++) {
      Results.requireSame("after a kill, step " + calm.steps(), calmStep(), trainee.step());
    }
    trainee.checkpoint().write(file);
    Results.requireSame("after a kill", calm.state(), trainee.state());
  }

  Path file() {
    return file;
  }

  private static boolean isUnfinished(Path path) {
    return path.getFileName().toString().endsWith(".tmp");
  }

  private void requireOnly(Path expected) throws WrongResult, IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> all = files.toList();
      if (!all.equals(List.of(expected))) {
        throw new WrongResult("the folder holds " + all + " (expected " + expected + " alone)");
      }
    }
  }

  private void requireIntact(byte[] old) throws WrongResult, IOException {
    if (!Arrays.equals(old, Files.readAllBytes(file))) {
      throw new WrongResult(file + " was changed by a write that failed");
    }
  }
}
