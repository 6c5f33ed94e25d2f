package dev.switchyard.bench.adapt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MiniLmTest {
  @TempDir private Path folder;

  /** 90 MB, on a disk that may be full. */
  @Test
  void aCopyThatFailsLeavesNoPart() throws IOException {
    InputStream failing =
        new FilterInputStream(new ByteArrayInputStream(new byte[100_000])) {
          @Override
          public int read(byte[] into, int at, int length) throws IOException {
            int count = super.read(into, at, length);
            if (count < 0) {
              throw new IOException("no room");
            }
            return count;
          }
        };
    assertThatThrownBy(() -> MiniLm.copy(failing, folder)).hasMessage("no room");
    assertThat(folder).isEmptyDirectory();

    Path copy = MiniLm.copy(new ByteArrayInputStream(new byte[] {1, 2}), folder);
    assertThat(copy).hasBinaryContent(new byte[] {1, 2});
  }
}
