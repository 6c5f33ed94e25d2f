package dev.switchyard.bench.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.kernels.OtherJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of commands that write to one folder, one is let in. */
class FolderLockTest {
  @TempDir private Path folder;

  @Test
  void theSecondIsRefusedUntilTheFirstEnds() {
    OutputFolder out = new OutputFolder(folder.resolve("deep/out"));
    try (FolderLock _ = out.lock()) {
      assertThatThrownBy(out::lock)
          .isInstanceOf(DataException.class)
          .hasMessageStartingWith("another switchyard command works in " + out.path());
    }
    out.lock().close();
    assertThat(folder).isEmptyDirectory(); // what was made for nothing is gone
  }

  @Test
  void whatIsInTheFolderStays() throws IOException {
    OutputFolder out = new OutputFolder(folder.resolve("deep/out"));
    try (FolderLock _ = out.lock()) {
      out.write("result", "precious");
    }
    assertThat(out.path().resolve("result")).hasContent("precious");
    assertThat(out.path()).isDirectoryNotContaining("glob:**.lock");
    Files.delete(out.path().resolve("result"));
    out.lock().close();
    assertThat(out.path()).as("it was there before").isEmptyDirectory();
  }

  /** Takes the lock, says so, and waits to be killed. */
  public static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws IOException {
      try (FolderLock _ = new OutputFolder(Path.of(arguments[0])).lock()) {
        System.out.println("locked");
        System.in.read();
      }
    }
  }

  @Test
  void aProcessThatIsKilledLocksNobodyOut() throws IOException, InterruptedException {
    List<String> command = OtherJvm.command(Holder.class);
    command.add(folder.toString());
    Process process = new ProcessBuilder(command).start();
    byte[] said = process.getInputStream().readNBytes("locked".length());
    assertThat(new String(said, StandardCharsets.UTF_8)).isEqualTo("locked");
    OutputFolder out = new OutputFolder(folder);
    assertThatThrownBy(out::lock).isInstanceOf(DataException.class);

    process.destroyForcibly().waitFor();

    assertThat(folder.resolve(FolderLock.FILE)).exists();
    out.lock().close();
    assertThat(folder).isEmptyDirectory();
  }

  /** The file is deleted and made again all the time, by whoever was last. */
  @Test
  void neverAreTwoInside() throws InterruptedException, ExecutionException {
    OutputFolder out = new OutputFolder(folder.resolve("out"));
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> ends = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        ends.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 200; i++) {
                    try (FolderLock _ = out.lock()) {
                      most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                      inside.decrementAndGet();
                    } catch (DataException | UncheckedIOException e) {
                      // Another is inside, or has just taken the folder away.
                    }
                  }
                }));
      }
      for (Future<?> end : ends) {
        end.get();
      }
    }
    assertThat(most).hasValue(1);
  }

  @Test
  void aFolderThatCannotBeIsASentence() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "precious");
    assertThatThrownBy(() -> new OutputFolder(file.resolve("out")).lock())
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageStartingWith("the folder " + file.resolve("out") + " cannot be written to: ")
        .hasMessageNotContaining("Exception");
  }
}
