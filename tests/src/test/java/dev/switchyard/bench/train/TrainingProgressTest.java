package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.command.ProgressDisplay;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TrainingProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final AtomicLong nanos = new AtomicLong();

  @Test
  void printsALineAtIntervalsAndOneForTheLastStep() {
    try (TrainingProgress progress = lines("FLOAT32")) {
      for (int step = 1; step <= 50; step++) {
        nanos.addAndGet(Duration.ofMillis(500).toNanos());
        progress.onStep(step, 50, 2.0, 100);
      }
    }

    assertThat(lines())
        .containsExactly(
            "FLOAT32 step 20 of 50: loss 2.0000, 200 images/s, 0:15 left",
            "FLOAT32 step 40 of 50: loss 2.0000, 200 images/s, 0:05 left",
            "FLOAT32 step 50 of 50: loss 2.0000, 200 images/s, 0:00 left");
  }

  @Test
  void linesHoldNoControlCharacters() {
    try (TrainingProgress progress =
        new TrainingProgress(ProgressDisplay.lines("FLOAT32", out, System::nanoTime))) {
      progress.onStep(1, 1, 2.0, 100);
    }

    assertThat(text()).isNotEmpty();
    assertThat(text().strip().chars()).allMatch(c -> c >= ' ' && c < 127);
  }

  @Test
  void theBarShowsTheSameAndEndsItsLineOnce() {
    try (TrainingProgress progress = new TrainingProgress(ProgressDisplay.bar("SWITCHBACK", out))) {
      progress.onStep(1, 2, 3.0, 100);
      progress.onStep(2, 2, 2.0, 100);
    }

    assertThat(text())
        .contains("SWITCHBACK", "100%", "2/2", "loss 2.0000", "images/s", "0:00 left");
    assertThat(text().chars().filter(c -> c == '\n').count()).isEqualTo(1);
  }

  /** Many, since how often the library ends the line depends on how far its thread has come. */
  @Test
  void everyBarEndsItsLineOnceHoweverSoonItIsClosed() {
    for (int i = 0; i < 100; i++) {
      bytes.reset();
      try (TrainingProgress progress =
          new TrainingProgress(ProgressDisplay.bar("SWITCHBACK", out))) {
        progress.onStep(1, 1, 3.0, 100);
      }
      assertThat(text().chars().filter(c -> c == '\n').count()).isEqualTo(1);
    }
  }

  @Test
  void writesTimesAsPeopleDo() {
    assertThat(List.of(0.4, 59.6, 187.0, 3661.0).stream().map(ProgressDisplay::clock))
        .containsExactly("0:00", "1:00", "3:07", "1:01:01");
  }

  private TrainingProgress lines(String name) {
    return new TrainingProgress(ProgressDisplay.lines(name, out, nanos::get), nanos::get);
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private List<String> lines() {
    return text().lines().toList();
  }
}
