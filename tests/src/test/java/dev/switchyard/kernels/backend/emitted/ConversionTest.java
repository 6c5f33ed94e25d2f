package dev.switchyard.kernels.backend.emitted;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.backend.x86.Cpu;
import dev.switchyard.kernels.backend.x86.InstructionSet;
import dev.switchyard.kernels.backend.x86.X86Target;
import dev.switchyard.kernels.data.Bfloat16;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What packing makes of floats where no instruction computes with bfloat16. */
class ConversionTest {
  /** Below, at and above the middle between two bfloat16 values, and what is left of a NaN. */
  private static final int[] LOWER_HALVES = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};

  private static final int VALUES = 1 << 16;

  private static Collection<InstructionSet> sets() throws Unavailable {
    return Cpu.detect().sets();
  }

  @ParameterizedTest
  @MethodSource("sets")
  void roundsAsTheReferenceDoes(InstructionSet set) throws Unavailable {
    for (int lower : LOWER_HALVES) {
      int[] bits = IntStream.range(0, VALUES).map(upper -> upper << 16 | lower).toArray();

      assertThat(converted(set, Conversion.FLOAT32_ROUNDED, MemorySegment.ofArray(bits)))
          .isEqualTo(
              IntStream.of(bits)
                  .map(b -> Float.floatToRawIntBits(Bfloat16.round(Float.intBitsToFloat(b))))
                  .toArray());
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void widensAllValues(InstructionSet set) throws Unavailable {
    short[] values = new short[VALUES];
    for (int i = 0; i < VALUES; i++) {
      values[i] = (short) i;
    }
    assertThat(converted(set, Conversion.BFLOAT16_TO_FLOAT32, MemorySegment.ofArray(values)))
        .isEqualTo(IntStream.range(0, VALUES).map(i -> i << 16).toArray());
  }

  private static int[] converted(InstructionSet set, Conversion conversion, MemorySegment values)
      throws Unavailable {
    int[] result = new int[VALUES];
    Target target = new X86Target(set, false, 1 << 20);
    new EmittedCode(target)
        .pack(
            conversion,
            Layout.ROWS,
            1,
            VALUES / target.lanes(),
            new PackArguments(),
            new Operand().set(values, 0, 0),
            0,
            new Operand().set(MemorySegment.ofArray(result), 0, 0));
    return result;
  }
}
