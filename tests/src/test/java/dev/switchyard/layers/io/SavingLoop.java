package dev.switchyard.layers.io;

import java.io.IOException;
import java.nio.file.Path;

/** A main class: saves one checkpoint after the other, and prints the step of each that is done. */
final class SavingLoop {
  static final int ELEMENTS = 300_000;
  static final int KEEP = 2;

  private SavingLoop() {}

  public static void main(String[] args) throws IOException {
    CheckpointFolder folder =
        new CheckpointFolder(Path.of(System.getProperty("folder")), KEEP, System.out::println);
    long step = folder.newest().map(newest -> newest.progress().step()).orElse(0L);
    while (true) {
      step++;
      folder.save(Checkpoints.at(step, ELEMENTS));
      System.out.println(step);
    }
  }
}
