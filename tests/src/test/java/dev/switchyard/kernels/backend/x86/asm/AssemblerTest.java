package dev.switchyard.kernels.backend.x86.asm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Encodings against those of GNU {@code as}: committed bytes, which it made from the text of a
 * random program, and where it is installed other programs too. To make the bytes anew:
 *
 * <pre>
 *   as program.s -o program.o &amp;&amp; objcopy -O binary -j .text program.o program.bin
 * </pre>
 */
class AssemblerTest {
  private static final int INSTRUCTIONS = 600;

  @TempDir private Path directory;

  @Test
  void committedBytes() throws IOException {
    compareWithCommitted();
  }

  private static void compareWithCommitted() throws IOException {
    RandomProgram program = new RandomProgram(1, INSTRUCTIONS);
    try (InputStream in = AssemblerTest.class.getResourceAsStream("program.bin")) {
      assertThat(HexFormat.of().formatHex(program.bytes()))
          .isEqualTo(HexFormat.of().formatHex(in.readAllBytes()));
    }
  }

  @Test
  void sameBytesAsGnuAs() throws IOException, InterruptedException {
    if (!runs("as", "--version") || !runs("objcopy", "--version")) {
      compareWithCommitted(); // then they are all there is to compare with
      return;
    }
    for (long seed = 1; seed <= 8; seed++) {
      RandomProgram program = new RandomProgram(seed, INSTRUCTIONS);
      Path text = Files.writeString(directory.resolve("p.s"), program.text());
      Path object = directory.resolve("p.o");
      Path binary = directory.resolve("p.bin");
      assertThat(runs("as", text.toString(), "-o", object.toString())).isTrue();
      assertThat(
              runs("objcopy", "-O", "binary", "-j", ".text", object.toString(), binary.toString()))
          .isTrue();
      byte[] expected = Files.readAllBytes(binary);
      assertThat(HexFormat.of().formatHex(program.bytes()))
          .as("seed %d", seed)
          .startsWith(HexFormat.of().formatHex(expected));
      assertThat(program.bytes().length - expected.length).isZero();
    }
  }

  private boolean runs(String... command) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("log").toFile())
              .start();
      return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void refusesWhatHasNoEncoding() {
    Vec high = new Vec(16, 32);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Assembler().op(VectorOp.VPERM2F128, high, high, high, 0))
        .withMessage("VPERM2F128 has no EVEX form, which its operands need");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Assembler().sub(Mem.at(Gp.RDI, 0), 128))
        .withMessage("constant 128 does not fit a byte");
  }

  @Test
  void bindsALabelOnce() {
    Assembler asm = new Assembler();
    Label label = asm.newLabel();
    asm.bind(label);
    assertThatIllegalStateException()
        .isThrownBy(() -> asm.bind(label))
        .withMessage("L0 is bound twice");
  }
}
