package dev.switchyard.bench.train;

import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.mpi.Collective;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The newest checkpoint of the first process, for all: on other machines, the others see none of
 * its files.
 */
final class SharedCheckpoint {
  private static final int PIECE = 1 << 24;

  private SharedCheckpoint() {}

  static Optional<Checkpoint> newest(CheckpointFolder folder, Collective collective)
      throws IOException {
    return newest(folder, collective, PIECE);
  }

  /**
   * The newest checkpoint.
   *
   * @param piece bytes that travel at a time: a file may be larger than any array
   */
  static Optional<Checkpoint> newest(CheckpointFolder folder, Collective collective, int piece)
      throws IOException {
    if (collective.size() == 1) {
      return folder.newest();
    }
    Path copy = Files.createTempFile("switchyard", ".safetensors");
    try {
      Optional<Checkpoint> newest = collective.rank() == 0 ? folder.newest() : Optional.empty();
      if (newest.isPresent()) {
        newest.get().write(copy);
      }
      double[] length = {Files.size(copy)};
      collective.sum(length);
      if (length[0] == 0) {
        return Optional.empty();
      }
      share(copy, (long) length[0], collective, new byte[piece]);
      return Optional.of(collective.rank() == 0 ? newest.get() : Checkpoint.read(copy));
    } finally {
      Files.delete(copy);
    }
  }

  private static void share(Path file, long length, Collective collective, byte[] piece)
      throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      for (long at = 0; at < length; at += piece.length) {
        int count = (int) Math.min(piece.length, length - at);
        if (collective.rank() == 0) {
          bytes.readFully(piece, 0, count);
        }
        collective.broadcast(0, MemorySegment.ofArray(piece).asSlice(0, count));
        if (collective.rank() > 0) {
          bytes.write(piece, 0, count);
        }
      }
    }
  }
}
