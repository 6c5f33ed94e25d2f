package dev.switchyard.bench.data;

import dev.switchyard.kernels.data.CounterRandom;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** Images of noise in the shape of Fashion-MNIST, for where nothing has to be learned. */
public final class NoiseImages {
  private static final int SIDE = 28;

  private NoiseImages() {}

  /** Writes the files of a data folder. */
  public static void write(Path folder, int training, int tests) throws IOException {
    write(folder, "train", training);
    write(folder, "t10k", tests);
  }

  private static void write(Path folder, String part, int count) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(16 + count * SIDE * SIDE);
    file.putInt(IdxBytes.IMAGES).putInt(count).putInt(SIDE).putInt(SIDE);
    while (file.hasRemaining()) {
      file.put((byte) CounterRandom.bits(count, file.position()));
    }
    ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(IdxBytes.LABELS).putInt(count);
    while (labels.hasRemaining()) {
      labels.put((byte) (labels.position() % 10));
    }
    Files.write(folder.resolve(part + "-images-idx3-ubyte"), file.array());
    Files.write(folder.resolve(part + "-labels-idx1-ubyte"), labels.array());
  }
}
