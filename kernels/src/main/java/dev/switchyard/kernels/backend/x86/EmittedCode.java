package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.x86.PackGenerator.Conversion;
import dev.switchyard.kernels.backend.x86.PackGenerator.Layout;
import dev.switchyard.kernels.backend.x86.QuantizeGenerator.Pass;
import dev.switchyard.kernels.backend.x86.TileGenerator.Left;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.data.ElementType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All kernels of one instruction set, assembled and loaded, and the only door to them: each call is
 * checked against the memory it is given before the code is entered, whoever made the arguments,
 * and whatever an earlier call that failed has left in them.
 */
final class EmittedCode {
  private static final int ALIGNMENT = 64;

  private final InstructionSet set;
  private final boolean bfloat16;
  private final Map<Dot, Map<Left, MemorySegment[]>> tiles = new EnumMap<>(Dot.class);
  private final Map<Conversion, Map<Layout, MemorySegment>> packs = new EnumMap<>(Conversion.class);

  /** By layout of A: for tiles of up to 16 rows, and for larger ones. */
  private final Map<Dot, Map<Left, MemorySegment[]>> amx = new EnumMap<>(Dot.class);

  private final Map<Dot, MemorySegment> peaks = new EnumMap<>(Dot.class);
  private final Map<Pass, MemorySegment> quantizers = new EnumMap<>(Pass.class);

  /** Where a kernel lies within the code, and who wants its address. */
  record Entry(String name, int begin, int end, Consumer<MemorySegment> place) {}

  /**
   * Assembles and loads.
   *
   * @throws Unavailable if the operating system refuses executable memory
   */
  EmittedCode(InstructionSet set, boolean bfloat16) throws Unavailable {
    this.set = set;
    this.bfloat16 = bfloat16;
    Assembler asm = new Assembler();
    List<Entry> entries = new ArrayList<>();
    List<Dot> dots = dots(set, bfloat16);
    for (Dot dot : dots) {
      int start = asm.position();
      PeakGenerator.emit(asm, set, dot);
      end(asm, entries, start, "peak-" + dot, f -> peaks.put(dot, f));
      for (Left left : Left.values()) {
        if (set.usesTiles(dot)) {
          emitAmx(asm, entries, dot, left);
        } else {
          emitTiles(asm, entries, dot, left);
        }
      }
    }
    for (Conversion conversion : Conversion.values()) {
      if (dots.contains(conversion.dot)) {
        Map<Layout, MemorySegment> byLayout = new EnumMap<>(Layout.class);
        packs.put(conversion, byLayout);
        for (Layout layout : Layout.values()) {
          int begin = asm.position();
          PackGenerator.emit(asm, new PackGenerator.Kind(set, conversion, layout));
          String name = "pack-" + conversion + "-" + layout;
          end(asm, entries, begin, name, f -> byLayout.put(layout, f));
        }
      }
    }
    for (Pass pass : Pass.values()) {
      int begin = asm.position();
      QuantizeGenerator.emit(asm, set, pass);
      end(asm, entries, begin, "quantize-" + pass, f -> quantizers.put(pass, f));
    }
    byte[] bytes = asm.toBytes();
    MemorySegment code = ExecutableMemory.load(bytes);
    entries.forEach(e -> e.place().accept(code.asSlice(e.begin(), e.end() - e.begin())));
    CodeDump.write(set, bytes, entries);
  }

  private static List<Dot> dots(InstructionSet set, boolean bfloat16) {
    return bfloat16
        ? List.of(set.int8(), Dot.BFLOAT16, Dot.FLOAT32)
        : List.of(set.int8(), Dot.FLOAT32);
  }

  private void emitTiles(Assembler asm, List<Entry> entries, Dot dot, Left left) {
    MemorySegment[] byRows = new MemorySegment[set.tileRows + 1];
    tiles.computeIfAbsent(dot, _ -> new EnumMap<>(Left.class)).put(left, byRows);
    for (int rows = 1; rows <= set.tileRows; rows++) {
      int row = rows;
      int begin = asm.position();
      TileGenerator.emit(asm, new TileGenerator.Kind(set, dot, left, rows));
      end(asm, entries, begin, "tile-" + dot + "-" + left + "-" + rows, f -> byRows[row] = f);
    }
  }

  private void emitAmx(Assembler asm, List<Entry> entries, Dot dot, Left left) {
    MemorySegment[] byHalves = new MemorySegment[2];
    amx.computeIfAbsent(dot, _ -> new EnumMap<>(Left.class)).put(left, byHalves);
    for (int i = 0; i < byHalves.length; i++) {
      int half = i;
      int begin = asm.position();
      AmxGenerator.emit(asm, dot, left, half == 1);
      String name = "amx-" + dot + "-" + left + "-" + (half + 1) * AmxGenerator.HALF;
      end(asm, entries, begin, name, f -> byHalves[half] = f);
    }
  }

  private static void end(
      Assembler asm, List<Entry> entries, int begin, String name, Consumer<MemorySegment> place) {
    entries.add(new Entry(name.toLowerCase(Locale.ROOT), begin, asm.position(), place));
    asm.align(ALIGNMENT);
  }

  InstructionSet set() {
    return set;
  }

  /** Whether there are instructions for bfloat16. */
  boolean hasBfloat16() {
    return bfloat16;
  }

  /** The instruction that multiplies a type. */
  Dot dot(ElementType type) {
    return switch (type) {
      case INT8 -> set.int8();
      case BFLOAT16 -> bfloat16 ? Dot.BFLOAT16 : Dot.FLOAT32;
      case FLOAT32 -> Dot.FLOAT32;
    };
  }

  /**
   * Multiplies tiles of A with a panel of B. {@code arguments} hold the values of rows and columns,
   * the mode, and what lies ahead.
   *
   * @param cols columns to store
   * @throws IndexOutOfBoundsException if any part would lie outside of its memory
   */
  void tile(
      Dot dot,
      Left left,
      int rows,
      int tileCount,
      int groups,
      TileArguments arguments,
      Operand a,
      Operand b,
      Operand c,
      int cols) {
    long allRows = (long) rows * tileCount;
    require(rows >= 1 && rows <= set.tileRows, "rows of a tile", rows);
    require(tileCount >= 1 && allRows <= TileArguments.MAX_ROWS, "tiles", tileCount);
    require(groups >= 0, "groups", groups);
    require(cols >= 1 && cols <= set.panelCols(), "columns", cols);
    requireMode(dot, arguments.get(TileArguments.MODE));
    long aBytes =
        left == Left.ROWS
            ? extent(allRows, a.stride(), (long) groups * Integer.BYTES)
            : extent(tileCount, a.stride(), (long) groups * set.vectorBytes);
    within("A", a, aBytes);
    within("B", b, (long) groups * set.panelGroupBytes());
    long cBytes = extent(allRows, c.stride(), (long) cols * Float.BYTES);
    within("C", c, cBytes);
    arguments.set(TileArguments.GROUPS, groups);
    arguments.set(TileArguments.A_OFFSET, a.offset());
    arguments.set(TileArguments.A_STRIDE, a.stride());
    arguments.set(TileArguments.B_OFFSET, b.offset());
    arguments.set(TileArguments.C_OFFSET, c.offset());
    arguments.set(TileArguments.C_STRIDE, c.stride());
    arguments.set(TileArguments.TILES, tileCount);
    arguments.set(TileArguments.ROW, TileArguments.ROW_SCALES);
    arguments.setColumns(cols, set);
    CallingConvention.call(
        tiles.get(dot).get(left)[rows], arguments.memory, a.memory(), b.memory(), c.memory());
  }

  /**
   * Multiplies a tile of A with panels of B on tile registers. {@code arguments} hold the values of
   * rows and columns, and the mode.
   *
   * @param a for packed A, its stride is that of all groups of 16 rows
   * @param b its stride is from panel to panel
   * @param cols columns to store of the last panel
   * @throws IndexOutOfBoundsException if any part would lie outside of its memory
   */
  void amx(
      Dot dot,
      Left left,
      int rows,
      int panels,
      int groups,
      AmxArguments arguments,
      Operand a,
      Operand b,
      Operand c,
      int cols) {
    require(groups >= 0, "groups", groups);
    require(rows >= 1 && rows <= set.tileRows(dot), "rows of a tile", rows);
    require(panels >= 1 && panels <= AmxArguments.MAX_PANELS, "panels", panels);
    require(cols >= 1 && cols <= set.panelCols(), "columns", cols);
    requireMode(dot, arguments.get(AmxArguments.MODE));
    long steps = (groups + AmxGenerator.STEP - 1L) / AmxGenerator.STEP;
    boolean both = rows > AmxGenerator.HALF;
    boolean packed = left == Left.PACKED;
    long aBytes =
        packed
            ? extent(both ? 2 : 1, a.stride(), (steps + 1) / 2 * AmxGenerator.PAIR_BYTES)
            : extent(rows, a.stride(), steps * AmxGenerator.ROW_BYTES);
    long panelBytes = steps * AmxGenerator.STEP * set.panelGroupBytes();
    long cBytes = (panels - 1L) * set.panelGroupBytes() + (long) cols * Float.BYTES;
    within("A", a, aBytes);
    within("B", b, extent(panels, b.stride(), panelBytes));
    within("C", c, extent(rows, c.stride(), cBytes));
    arguments.set(AmxArguments.STEPS, steps);
    arguments.set(AmxArguments.A_OFFSET, a.offset());
    arguments.set(AmxArguments.A_STRIDE, packed ? 2 * AmxGenerator.ROW_BYTES : a.stride());
    arguments.set(AmxArguments.SECOND_A, packed ? a.stride() : AmxGenerator.HALF * a.stride());
    arguments.set(AmxArguments.B_OFFSET, b.offset());
    arguments.set(AmxArguments.NEXT_B, b.stride());
    arguments.set(AmxArguments.C_OFFSET, c.offset());
    arguments.set(AmxArguments.C_STRIDE, c.stride());
    arguments.set(AmxArguments.PANELS, panels);
    arguments.setRows(rows);
    arguments.setLastColumns(cols);
    CallingConvention.call(
        amx.get(dot).get(left)[both ? 1 : 0], arguments.memory, a.memory(), b.memory(), c.memory());
  }

  /**
   * Rearranges elements; what {@code outer} and {@code inner} count is for {@link PackGenerator} to
   * say.
   *
   * @throws IndexOutOfBoundsException if any part would lie outside of its memory
   */
  void pack(
      Conversion conversion,
      Layout layout,
      int outer,
      int inner,
      PackArguments arguments,
      Operand source,
      long sourceStep,
      Operand target) {
    require(outer >= 1, "outer turns", outer);
    require(inner >= 1, "inner turns", inner);
    require(sourceStep >= 0, "source step", sourceStep);
    int lanes = set.lanes();
    int group = conversion.dot.group;
    long rows;
    long rowBytes;
    long targetBytes;
    switch (layout) {
      case TRANSPOSED_PANEL -> {
        require(outer <= InstructionSet.PANEL_VECTORS, "vectors of a panel", outer);
        rows = (long) outer * lanes;
        rowBytes = (long) inner * lanes * conversion.groupBytes();
        targetBytes = (long) inner * lanes * set.panelGroupBytes();
      }
      case INTERLEAVED_PANELS, INTERLEAVED_TILES -> {
        int vectors = layout == Layout.INTERLEAVED_TILES ? 1 : InstructionSet.PANEL_VECTORS;
        rows = (long) outer * group;
        rowBytes = extent(inner, sourceStep, (long) vectors * lanes * conversion.sourceBytes);
        targetBytes = extent(inner, target.stride(), (long) outer * vectors * set.vectorBytes);
      }
      default -> {
        rows = outer;
        rowBytes = (long) inner * lanes * conversion.groupBytes();
        targetBytes = extent(outer, target.stride(), (long) inner * set.vectorBytes);
      }
    }
    long sourceBytes = extent(rows, source.stride(), rowBytes);
    within("source", source, sourceBytes);
    within("target", target, targetBytes);
    arguments.set(PackArguments.OUTER, outer);
    arguments.set(PackArguments.INNER, inner);
    arguments.set(PackArguments.SOURCE_OFFSET, source.offset());
    arguments.set(PackArguments.SOURCE_STRIDE, source.stride());
    arguments.set(PackArguments.SOURCE_STEP, sourceStep);
    arguments.set(PackArguments.TARGET_OFFSET, target.offset());
    arguments.set(PackArguments.TARGET_STRIDE, target.stride());
    MemorySegment function = packs.get(conversion).get(layout);
    MemorySegment to = target.memory();
    CallingConvention.call(function, arguments.memory, source.memory(), to, to);
  }

  /**
   * Quantizes rows; the absmax and the sums of the rows are in the arguments afterwards.
   *
   * @throws IndexOutOfBoundsException if any part would lie outside of its memory
   */
  void quantize(Pass pass, int rows, int cols, QuantizeArguments arguments, Operand x, Operand q) {
    require(rows >= 1 && rows <= QuantizeArguments.MAX_ROWS, "rows", rows);
    require(cols >= 0, "columns", cols);
    within("x", x, extent(rows, x.stride(), (long) cols * Float.BYTES));
    if (pass.rounds) {
      long written = (cols + set.vectorBytes - 1L) / set.vectorBytes * set.vectorBytes;
      within("q", q, extent(rows, q.stride(), written));
    }
    arguments.set(QuantizeArguments.X_OFFSET, x.offset());
    arguments.set(QuantizeArguments.X_STRIDE, x.stride());
    arguments.set(QuantizeArguments.Q_OFFSET, q.offset());
    arguments.set(QuantizeArguments.Q_STRIDE, q.stride());
    arguments.set(QuantizeArguments.ROWS, rows);
    arguments.setCols(cols, set);
    MemorySegment to = q.memory();
    CallingConvention.call(quantizers.get(pass), arguments.memory, x.memory(), to, to);
  }

  /** Runs {@code turns} of dot instructions on registers. */
  void peak(Dot dot, int turns) {
    require(turns >= 1, "turns", turns);
    Arguments arguments = new Arguments(PeakGenerator.BYTES);
    arguments.set(PeakGenerator.TURNS, turns);
    arguments.set(PeakGenerator.VALUE, dot.ones);
    AmxArguments.setShapes(arguments.memory, PeakGenerator.SHAPES, 2 * AmxGenerator.HALF);
    MemorySegment memory = arguments.memory;
    CallingConvention.call(peaks.get(dot), memory, memory, memory, memory);
  }

  /** Sums of floats cannot be stored as integers. */
  private static void requireMode(Dot dot, long mode) {
    int most = TileArguments.ACCUMULATE | (dot.isInteger() ? TileArguments.INTEGERS : 0);
    require(mode >= 0 && mode <= most, "mode", mode);
  }

  /**
   * Bytes from the first of some parts, a stride apart, to the end of the last; the largest long
   * where they are more. A negative stride is refused by {@link #within}.
   */
  private static long extent(long parts, long stride, long bytesOfLast) {
    long toLast = (parts - 1) * stride;
    long bytes = toLast + bytesOfLast;
    boolean exact = Math.multiplyHigh(parts - 1, stride) == 0 && toLast >= 0 && bytes >= 0;
    return exact ? bytes : Long.MAX_VALUE;
  }

  private static void within(String what, Operand operand, long bytes) {
    long offset = operand.offset();
    long size = operand.memory().byteSize();
    if (offset < 0 || operand.stride() < 0 || bytes < 0 || bytes > size || offset > size - bytes) {
      throw new IndexOutOfBoundsException(
          what + " would use " + bytes + " bytes from " + offset + " on, but there are " + size);
    }
  }

  private static void require(boolean condition, String what, long value) {
    if (!condition) {
      throw new IndexOutOfBoundsException(what + " cannot be " + value);
    }
  }
}
