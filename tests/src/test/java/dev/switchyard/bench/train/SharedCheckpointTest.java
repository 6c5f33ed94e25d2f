package dev.switchyard.bench.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.io.Checkpoint;
import dev.switchyard.layers.io.CheckpointFolder;
import dev.switchyard.layers.io.Progress;
import dev.switchyard.mpi.Collective;
import dev.switchyard.mpi.ThreadRanks;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpoint that one process has comes to all of them, however small the pieces are. */
class SharedCheckpointTest {
  @TempDir private Path folder;

  private CheckpointFolder folder(int rank) {
    return new CheckpointFolder(folder.resolve("of-" + rank), 2, _ -> {});
  }

  /** The same processes, which refuse pieces that are too large, as arrays are. */
  private static Collective limited(Collective collective, int piece) {
    return (Collective)
        Proxy.newProxyInstance(
            Collective.class.getClassLoader(),
            new Class<?>[] {Collective.class},
            (_, method, arguments) -> {
              if (method.getName().equals("broadcast")) {
                assertThat(((MemorySegment) arguments[1]).byteSize()).isBetween(1L, (long) piece);
              }
              return method.invoke(collective, arguments);
            });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 1 << 20})
  void itComesInPieces(int piece) throws Exception {
    FloatMatrix weight = FloatMatrix.of(new float[] {1, 2, 3, 4, 5, Float.NaN}, 2, 3);
    Checkpoint saved =
        new Checkpoint(
            Map.of("w", weight),
            Set.of(),
            Map.of("m", FloatMatrix.of(new float[] {7}, 1, 1)),
            Map.of("w", 3L),
            "AdamW",
            new Progress(3, 1, 0, 0),
            Map.of("rate", "0.1"));
    ThreadRanks.run(
        3,
        collective -> {
          Collective processes = limited(collective, piece);
          CheckpointFolder own = folder(collective.rank()); // on machines of their own
          assertThat(SharedCheckpoint.newest(own, processes, piece)).isEmpty();
          if (collective.rank() == 0) {
            own.save(saved);
          }
          Optional<Checkpoint> shared = SharedCheckpoint.newest(own, processes, piece);
          assertThat(shared).isPresent();
          Checkpoint checkpoint = shared.get();
          assertThat(checkpoint.weights().get("w").data()).isEqualTo(weight.data());
          assertThat(checkpoint.state().get("m").data()).containsExactly(7);
          assertThat(checkpoint.steps()).isEqualTo(saved.steps());
          assertThat(checkpoint.progress()).isEqualTo(saved.progress());
          assertThat(checkpoint.options()).isEqualTo(saved.options());
        });
  }
}
