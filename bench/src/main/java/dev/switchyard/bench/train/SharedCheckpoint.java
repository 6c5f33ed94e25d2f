package dev.switchyard.bench.train;

import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.mpi.Collective;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The newest checkpoint of the first process, for all: on other machines, the others see none of
 * its files.
 */
final class SharedCheckpoint {
  private SharedCheckpoint() {}

  static Optional<Checkpoint> newest(CheckpointFolder folder, Collective collective)
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
      double[] length = {collective.rank() == 0 ? Files.size(copy) : 0};
      collective.sum(length);
      byte[] bytes = collective.rank() == 0 ? Files.readAllBytes(copy) : new byte[(int) length[0]];
      collective.broadcast(0, MemorySegment.ofArray(bytes));
      if (collective.rank() == 0 || bytes.length == 0) {
        return newest;
      }
      Files.write(copy, bytes);
      return Optional.of(Checkpoint.read(copy));
    } finally {
      Files.delete(copy);
    }
  }
}
