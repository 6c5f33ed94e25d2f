package dev.switchyard.kernels.backend.emitted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.switchyard.kernels.backend.x86.Cpu;
import dev.switchyard.kernels.backend.x86.InstructionSet;
import dev.switchyard.kernels.backend.x86.X86Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Hostile calls of emitted code: whatever the numbers, a call is refused, or touches nothing but
 * the elements that its arguments name. An error here would end the JVM.
 */
class EmittedCodeTest {
  private static final int CALLS = Integer.getInteger("switchyard.fuzz.entries", 30_000);
  private static final int CANARY = 0x5EED_CAFE;
  private static final int SIZE = 2000;

  /** Memory around that of the result, so that an overrun is seen. */
  private static final int MARGIN = 500;

  private final Random random = new Random(1);
  private int accepted;

  /** Mostly small, sometimes absurd. */
  private int number(int most) {
    return switch (random.nextInt(40)) {
      case 0 -> random.nextInt();
      case 1 -> -random.nextInt(most + 1);
      case 2 -> Integer.MAX_VALUE - random.nextInt(2);
      default -> random.nextInt(most + 1);
    };
  }

  /** A number of bytes, of elements mostly; sometimes any that a long can be. */
  private long bytes(int elementBytes, int most) {
    int kind = random.nextInt(40);
    long elements = number(most);
    if (kind == 0) {
      elements = random.nextLong();
    } else if (kind == 1) {
      elements = 1L << random.nextInt(Long.SIZE);
    } else if (kind == 2) {
      elements = Long.MAX_VALUE / elementBytes - random.nextInt(most + 1);
    }
    return elementBytes * elements;
  }

  /** Close to what a call needs, so that a check that is off by little is found out. */
  private long about(long bytes) {
    return Math.clamp(bytes + 4L * (random.nextInt(7) - 3), 0, 4L * SIZE);
  }

  /** What a call that failed may have left in its arguments, up to the first constant: anything. */
  private void litter(Arguments arguments, int constants) {
    for (int i = 0; i < constants / Integer.BYTES; i++) {
      arguments.setInt(0, i, random.nextInt());
    }
  }

  private <E> E any(E[] values) {
    return values[random.nextInt(values.length)];
  }

  private static Operand at(MemorySegment memory, long offset, long stride) {
    return new Operand().set(memory, offset, stride);
  }

  private static Target target(InstructionSet set) {
    return new X86Target(set, set == InstructionSet.AMX, 1 << 20);
  }

  /** Those of this machine: the code of others must not be entered here. */
  static Set<InstructionSet> sets() throws Unavailable {
    return Cpu.detect().sets();
  }

  /** Nothing was written but rows of a result, which begins behind the margin; they are reset. */
  private static void requireCanariesBeside(
      int[] c, MemorySegment result, long rows, long offset, long stride, long cols, String call) {
    int end = MARGIN + (int) (result.byteSize() / Integer.BYTES);
    for (long r = 0; r < rows; r++) {
      int from = MARGIN + (int) ((offset + r * stride) / Integer.BYTES);
      Arrays.fill(c, Math.min(from, end), Math.min(from + (int) cols, end), CANARY);
    }
    for (int j = 0; j < c.length; j++) {
      if (c[j] != CANARY) {
        fail("%s with %d rows of %d columns wrote to %d", call, rows, cols, j - MARGIN);
      }
    }
  }

  /** On tile registers, whose loads and stores are 16 rows at once. */
  @Test
  void tileRegistersStayWithinTheirMemory() throws Unavailable {
    InstructionSet set = InstructionSet.AMX;
    if (!sets().contains(set)) {
      return;
    }
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    RegisterTileArguments arguments = new RegisterTileArguments(target);
    int size = 10 * SIZE;
    int[] c = new int[MARGIN + size + MARGIN];
    Arrays.fill(c, CANARY);
    MemorySegment all = MemorySegment.ofArray(c);
    MemorySegment operands = Arena.ofAuto().allocate(4L * size, 64);
    Dot[] dots = {Dot.INT8, Dot.BFLOAT16};
    for (int i = 0; i < CALLS / 10; i++) {
      int rows = number(32);
      int panels = number(3);
      int cols = number(32);
      int groups = number(40);
      long cOffset = bytes(4, 100);
      long cStride = bytes(4, 120);
      MemorySegment result =
          all.asSlice(
              4L * MARGIN,
              Math.clamp(
                  cOffset
                      + (rows - 1) * cStride
                      + 128L * (panels - 1)
                      + 4L * cols
                      + 4L * (random.nextInt(7) - 3),
                  0,
                  4L * size));
      MemorySegment left = operands.asSlice(0, Math.clamp(64L * number(size / 16), 0, 4L * size));
      litter(arguments, RegisterTileArguments.ROW_SCALES);
      arguments.set(RegisterTileArguments.MODE, number(4)); // of a float product, 2 and 3 are none
      try {
        code.registerTile(
            any(dots),
            any(Left.values()),
            rows,
            panels,
            groups,
            arguments,
            at(left, bytes(4, 300), bytes(4, 600)),
            at(operands, bytes(64, 60), bytes(64, 120)),
            at(result, cOffset, cStride),
            cols);
      } catch (IndexOutOfBoundsException e) {
        continue;
      }
      accepted++;
      requireCanariesBeside(
          c, result, rows, cOffset, cStride, 32L * (panels - 1) + cols, "call " + i);
    }
    assertThat(accepted).isGreaterThan(CALLS / 1000);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("sets")
  void tilesStayWithinTheirMemory(InstructionSet set) throws Unavailable {
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    TileArguments arguments = new TileArguments(target);
    MemorySegment b = Arena.ofAuto().allocate(SIZE * 8, 64);
    int[] c = new int[MARGIN + SIZE + MARGIN];
    Arrays.fill(c, CANARY);
    MemorySegment all = MemorySegment.ofArray(c);
    MemorySegment[] lefts = {
      MemorySegment.ofArray(new byte[4 * SIZE]), Arena.ofAuto().allocate(4 * SIZE, 64)
    };
    Dot[] dots =
        Stream.of(target.int8(), Dot.FLOAT32)
            .filter(dot -> !target.usesTileRegisters(dot))
            .toArray(Dot[]::new);
    for (int i = 0; i < CALLS; i++) {
      int rows = number(target.tileRows());
      int tiles = number(4);
      int cols = number(target.panelCols());
      long cOffset = bytes(4, 100);
      long cStride = bytes(4, 2 * target.panelCols());
      MemorySegment result =
          all.asSlice(4L * MARGIN, about((rows * tiles - 1) * cStride + cOffset + 4L * cols));
      litter(arguments, TileArguments.COLUMN_SCALES); // asking ahead never faults
      arguments.set(TileArguments.MODE, number(4));
      try {
        code.tile(
            any(dots),
            any(Left.values()),
            rows,
            tiles,
            number(40),
            arguments,
            at(any(lefts), bytes(4, 300), bytes(4, 60)),
            at(b, bytes(64, 60), 0),
            at(result, cOffset, cStride),
            cols);
      } catch (IndexOutOfBoundsException e) {
        continue;
      }
      accepted++;
      requireCanariesBeside(c, result, (long) rows * tiles, cOffset, cStride, cols, "call " + i);
    }
    assertThat(accepted).isGreaterThan(CALLS / 100);
  }

  /** Each number of lanes, in bits and in the table of vectors. */
  @ParameterizedTest
  @EnumSource
  void masksSelectTheFirstLanes(InstructionSet set) {
    Target target = target(set);
    int lanes = QuantizeArguments.VECTORS * target.lanes();
    Arguments arguments = new QuantizeArguments(target);
    for (int count = 0; count < lanes; count++) {
      long selected = Arguments.firstLanes(target, QuantizeArguments.LANES, lanes, count);
      for (int j = 0; j < lanes; j++) {
        boolean on =
            target.hasMasks()
                ? (selected >>> j & 1) == 1
                : arguments.memory.get(ValueLayout.JAVA_INT, selected + 4L * j) < 0;
        assertThat(on).as("%s: lane %d of the first %d", set, j, count).isEqualTo(j < count);
      }
    }
  }

  /** Strides and counts whose products are beyond a long, and then seem small. */
  @Test
  void numbersThatOverflowAreRefused() throws Unavailable {
    InstructionSet set = sets().iterator().next();
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    MemorySegment memory = Arena.ofAuto().allocate(SIZE, 64);
    TileArguments tile = new TileArguments(target);
    tile.set(TileArguments.MODE, TileArguments.STORE);
    PackArguments pack = new PackArguments();
    QuantizeArguments quantize = new QuantizeArguments(target);
    for (int shift = 59; shift < 63; shift++) {
      long stride = 1L << shift;
      for (int rows = 2; rows <= 5; rows++) {
        int n = rows;
        refused(() -> tile(code, tile, n, 1, stride, memory, 0));
        refused(() -> tile(code, tile, n, 1, 0, memory, stride));
        refused(() -> tile(code, tile, 1, 16 * n + 1, 0, memory, stride));
        for (Layout layout : List.of(Layout.ROWS, Layout.INTERLEAVED_PANELS)) {
          refused(() -> pack(code, pack, layout, n, 1, memory, stride, 0, 0));
          refused(() -> pack(code, pack, layout, n, n, memory, 0, 0, stride));
        }
        refused(() -> pack(code, pack, Layout.INTERLEAVED_PANELS, 1, n, memory, 0, stride, 0));
        refused(
            () ->
                code.quantize(
                    Pass.ABSMAX_AND_ROUND, n, 1, quantize, memory, 0, stride, memory, 0, 0));
        refused(
            () ->
                code.quantize(
                    Pass.ABSMAX_AND_ROUND, n, 1, quantize, memory, 0, 0, memory, 0, stride));
      }
    }
  }

  private static void tile(
      EmittedCode code,
      TileArguments arguments,
      int rows,
      int tiles,
      long aStride,
      MemorySegment m,
      long cStride) {
    code.tile(
        Dot.FLOAT32,
        Left.ROWS,
        rows,
        tiles,
        1,
        arguments,
        at(m, 0, aStride),
        at(m, 0, 0),
        at(m, 0, cStride),
        1);
  }

  private static void pack(
      EmittedCode code,
      PackArguments arguments,
      Layout layout,
      int outer,
      int inner,
      MemorySegment m,
      long stride,
      long step,
      long targetStride) {
    code.pack(
        Conversion.FLOAT32,
        layout,
        outer,
        inner,
        arguments,
        at(m, 0, stride),
        step,
        at(m, 0, targetStride));
  }

  private static void refused(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining(" would use ");
  }

  /** A mode that the code does not know would leave the result as it was. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("sets")
  void modesThatAreNoneAreRefused(InstructionSet set) throws Unavailable {
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    TileArguments arguments = new TileArguments(target);
    MemorySegment memory = Arena.ofAuto().allocate(SIZE, 64);
    for (long mode : new long[] {-1, 2, 3, 4, Long.MIN_VALUE, 1L << 32}) {
      arguments.set(TileArguments.MODE, mode);
      assertThatThrownBy(
              () ->
                  code.tile(
                      Dot.FLOAT32,
                      Left.ROWS,
                      1,
                      1,
                      1,
                      arguments,
                      at(memory, 0, 0),
                      at(memory, 0, 0),
                      at(memory, 0, 0),
                      1))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessage("mode cannot be " + mode);
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("sets")
  void packsStayWithinTheirMemory(InstructionSet set) throws Unavailable {
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    PackArguments arguments = new PackArguments();
    Conversion[] conversions = {
      target.int8() == Dot.INT8 ? Conversion.INT8 : Conversion.INT8_TO_INT16, Conversion.FLOAT32
    };
    MemorySegment source = MemorySegment.ofArray(new float[4 * SIZE]);
    MemorySegment all = Arena.ofAuto().allocate(24L * SIZE, 64);
    long margin = 4L * SIZE;
    MemorySegment written = all.asSlice(margin, 16L * SIZE);
    all.fill((byte) CANARY);
    for (int i = 0; i < CALLS; i++) {
      litter(arguments, PackArguments.ABSOLUTE);
      try {
        code.pack(
            any(conversions),
            any(Layout.values()),
            random.nextBoolean() ? Target.PANEL_VECTORS : number(20),
            number(8),
            arguments,
            at(source, bytes(1, 2000), bytes(1, 300)),
            bytes(1, 200),
            at(written, bytes(1, 2000), bytes(1, 2000)));
        accepted++;
      } catch (IndexOutOfBoundsException e) {
        assertThat(e)
            .hasMessageMatching(
                "[a-z ]+ (cannot be|would use -?\\d+ bytes from -?\\d+ on, but there are) -?\\d+");
      }
    }
    for (long at = 0; at < margin; at++) {
      assertThat(all.get(ValueLayout.JAVA_BYTE, at)).isEqualTo((byte) CANARY);
      assertThat(all.get(ValueLayout.JAVA_BYTE, all.byteSize() - 1 - at)).isEqualTo((byte) CANARY);
    }
    assertThat(accepted).isGreaterThan(CALLS / 100);
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("sets")
  void quantizersStayWithinTheirMemory(InstructionSet set) throws Unavailable {
    Target target = target(set);
    EmittedCode code = new EmittedCode(target);
    QuantizeArguments arguments = new QuantizeArguments(target);
    byte[] q = new byte[MARGIN + SIZE + MARGIN];
    Arrays.fill(q, (byte) CANARY);
    MemorySegment all = MemorySegment.ofArray(q);
    float[] x = new float[SIZE];
    Arrays.fill(x, 1);
    for (int i = 0; i < CALLS; i++) {
      int rows = number(5);
      int cols = number(200);
      int written = (cols + target.vectorBytes() - 1) / target.vectorBytes() * target.vectorBytes();
      long xOffset = bytes(4, 300);
      long xStride = bytes(4, 300);
      long qOffset = bytes(1, 300);
      long qStride = bytes(1, 300);
      long xSize = about((rows - 1) * xStride + xOffset + 4L * cols);
      MemorySegment to =
          all.asSlice(MARGIN, Math.min(SIZE, about((rows - 1L) * qStride + qOffset + written)));
      MemorySegment source = MemorySegment.ofArray(x).asSlice(0, xSize);
      Pass pass = any(Pass.values());
      litter(arguments, QuantizeArguments.LEVELS);
      try {
        code.quantize(pass, rows, cols, arguments, source, xOffset, xStride, to, qOffset, qStride);
      } catch (IndexOutOfBoundsException e) {
        continue;
      }
      accepted++;
      for (int r = 0; r < rows && pass.rounds; r++) {
        int from = (int) (MARGIN + qOffset + r * qStride);
        Arrays.fill(q, from, from + written, (byte) CANARY);
      }
      for (int j = 0; j < q.length; j++) {
        if (q[j] != (byte) CANARY) {
          fail("call %d with %d rows of %d wrote to %d", i, rows, cols, j - MARGIN);
        }
      }
    }
    assertThat(accepted).isGreaterThan(CALLS / 100);
  }
}
