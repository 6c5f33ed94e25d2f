package dev.switchyard.kernels.backend.emitted;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Writes each emitted function to a file, for those who want to read it:
 *
 * <pre>
 *   java -Dswitchyard.x86.dump=DIR ...
 *   objdump -D -b binary -m i386:x86-64 -M intel DIR/avx512-tile-int8-rows-14.bin
 * </pre>
 */
final class CodeDump {
  static final String PROPERTY = "switchyard.x86.dump";

  private CodeDump() {}

  /** Writes the files if the property names a folder, which is made if it is missing. */
  static void write(String label, byte[] code, List<EmittedCode.Entry> functions) {
    String folder = System.getProperty(PROPERTY);
    if (folder == null) {
      return;
    }
    try {
      Path path = Files.createDirectories(Path.of(folder));
      for (EmittedCode.Entry f : functions) {
        String name = label + "-" + f.name() + ".bin";
        Files.write(path.resolve(name), Arrays.copyOfRange(code, f.begin(), f.end()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write emitted code to " + folder, e);
    }
  }
}
