package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All kernels for one target, assembled and loaded, and the only door to them: each call is checked
 * against the memory it is given before the code is entered, whoever made the arguments, and
 * whatever an earlier call that failed has left in them.
 */
final class EmittedCode {
  private static final int ALIGNMENT = 64;

  private final Target target;

  // Of the target, asked once: a call takes 60 ns.
  private final int vectorBytes;
  private final int lanes;
  private final int panelCols;
  private final int panelGroupBytes;
  private final Map<Dot, Map<Left, MemorySegment[]>> tiles = new EnumMap<>(Dot.class);
  private final Map<Conversion, Map<Layout, MemorySegment>> packs = new EnumMap<>(Conversion.class);

  /** By layout of A: for tiles of up to 16 rows, and for larger ones. */
  private final Map<Dot, Map<Left, MemorySegment[]>> registerTiles = new EnumMap<>(Dot.class);

  private final Map<Dot, MemorySegment> peaks = new EnumMap<>(Dot.class);
  private final Map<Pass, MemorySegment> quantizers = new EnumMap<>(Pass.class);

  /** Where a kernel lies within the code, and who wants its address. */
  record Entry(String name, int begin, int end, Consumer<MemorySegment> place) {}

  /**
   * Assembles and loads.
   *
   * @throws Unavailable if the operating system refuses executable memory
   */
  EmittedCode(Target target) throws Unavailable {
    this.target = target;
    vectorBytes = target.vectorBytes();
    lanes = target.lanes();
    panelCols = target.panelCols();
    panelGroupBytes = target.panelGroupBytes();
    Emitter emitter = target.emitter();
    List<Entry> entries = new ArrayList<>();
    List<Dot> dots = dots(target);
    for (Dot dot : dots) {
      int start = emitter.position();
      emitter.peak(dot);
      end(emitter, entries, start, "peak-" + dot, f -> peaks.put(dot, f));
      for (Left left : Left.values()) {
        if (target.usesTileRegisters(dot)) {
          emitRegisterTiles(emitter, entries, dot, left);
        } else {
          emitTiles(emitter, entries, dot, left);
        }
      }
    }
    for (Conversion conversion : Conversion.values()) {
      if (dots.contains(conversion.dot)) {
        Map<Layout, MemorySegment> byLayout = new EnumMap<>(Layout.class);
        packs.put(conversion, byLayout);
        for (Layout layout : Layout.values()) {
          int begin = emitter.position();
          emitter.pack(conversion, layout);
          String name = "pack-" + conversion + "-" + layout;
          end(emitter, entries, begin, name, f -> byLayout.put(layout, f));
        }
      }
    }
    for (Pass pass : Pass.values()) {
      int begin = emitter.position();
      emitter.quantize(pass);
      end(emitter, entries, begin, "quantize-" + pass, f -> quantizers.put(pass, f));
    }
    byte[] bytes = emitter.toBytes();
    MemorySegment code = ExecutableMemory.load(bytes);
    entries.forEach(e -> e.place().accept(code.asSlice(e.begin(), e.end() - e.begin())));
    CodeDump.write(target.label(), bytes, entries);
  }

  private static List<Dot> dots(Target target) {
    return target.hasBfloat16()
        ? List.of(target.int8(), Dot.BFLOAT16, Dot.FLOAT32)
        : List.of(target.int8(), Dot.FLOAT32);
  }

  private void emitTiles(Emitter emitter, List<Entry> entries, Dot dot, Left left) {
    MemorySegment[] byRows = new MemorySegment[target.tileRows() + 1];
    tiles.computeIfAbsent(dot, _ -> new EnumMap<>(Left.class)).put(left, byRows);
    for (int rows = 1; rows <= target.tileRows(); rows++) {
      int row = rows;
      int begin = emitter.position();
      emitter.tile(dot, left, rows);
      String name = "tile-" + dot + "-" + left + "-" + rows;
      end(emitter, entries, begin, name, f -> byRows[row] = f);
    }
  }

  private void emitRegisterTiles(Emitter emitter, List<Entry> entries, Dot dot, Left left) {
    MemorySegment[] byHalves = new MemorySegment[2];
    registerTiles.computeIfAbsent(dot, _ -> new EnumMap<>(Left.class)).put(left, byHalves);
    for (int i = 0; i < byHalves.length; i++) {
      int half = i;
      int begin = emitter.position();
      emitter.registerTile(dot, left, half == 1);
      String name = "amx-" + dot + "-" + left + "-" + (half + 1) * RegisterTileArguments.HALF;
      end(emitter, entries, begin, name, f -> byHalves[half] = f);
    }
  }

  private static void end(
      Emitter emitter, List<Entry> entries, int begin, String name, Consumer<MemorySegment> place) {
    entries.add(new Entry(name.toLowerCase(Locale.ROOT), begin, emitter.position(), place));
    emitter.align(ALIGNMENT);
  }

  Target target() {
    return target;
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
    require(rows >= 1 && rows <= target.tileRows(), "rows of a tile", rows);
    require(tileCount >= 1 && allRows <= TileArguments.MAX_ROWS, "tiles", tileCount);
    require(groups >= 0, "groups", groups);
    require(cols >= 1 && cols <= panelCols, "columns", cols);
    requireMode(dot, arguments.get(TileArguments.MODE));
    long aBytes =
        left == Left.ROWS
            ? extent(allRows, a.stride(), (long) groups * Integer.BYTES)
            : extent(tileCount, a.stride(), (long) groups * vectorBytes);
    within("A", a, aBytes, a.memory().byteSize());
    within("B", b, (long) groups * panelGroupBytes, b.memory().byteSize());
    long cBytes = extent(allRows, c.stride(), (long) cols * Float.BYTES);
    within("C", c, cBytes, c.memory().byteSize());
    arguments.set(TileArguments.GROUPS, groups);
    arguments.set(TileArguments.A_OFFSET, a.offset());
    arguments.set(TileArguments.A_STRIDE, a.stride());
    arguments.set(TileArguments.B_OFFSET, b.offset());
    arguments.set(TileArguments.C_OFFSET, c.offset());
    arguments.set(TileArguments.C_STRIDE, c.stride());
    arguments.set(TileArguments.TILES, tileCount);
    arguments.set(TileArguments.ROW, TileArguments.ROW_SCALES);
    arguments.setColumns(cols);
    NativeCall.call(
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
  void registerTile(
      Dot dot,
      Left left,
      int rows,
      int panels,
      int groups,
      RegisterTileArguments arguments,
      Operand a,
      Operand b,
      Operand c,
      int cols) {
    require(groups >= 0, "groups", groups);
    require(rows >= 1 && rows <= target.tileRows(dot), "rows of a tile", rows);
    require(panels >= 1 && panels <= RegisterTileArguments.MAX_PANELS, "panels", panels);
    require(cols >= 1 && cols <= panelCols, "columns", cols);
    requireMode(dot, arguments.get(RegisterTileArguments.MODE));
    long steps = (groups + RegisterTileArguments.STEP - 1L) / RegisterTileArguments.STEP;
    boolean both = rows > RegisterTileArguments.HALF;
    boolean packed = left == Left.PACKED;
    long aBytes =
        packed
            ? extent(both ? 2 : 1, a.stride(), (steps + 1) / 2 * RegisterTileArguments.PAIR_BYTES)
            : extent(rows, a.stride(), steps * RegisterTileArguments.ROW_BYTES);
    long panelBytes = steps * RegisterTileArguments.STEP * panelGroupBytes;
    long cBytes = (panels - 1L) * panelGroupBytes + (long) cols * Float.BYTES;
    within("A", a, aBytes, a.memory().byteSize());
    within("B", b, extent(panels, b.stride(), panelBytes), b.memory().byteSize());
    within("C", c, extent(rows, c.stride(), cBytes), c.memory().byteSize());
    arguments.set(RegisterTileArguments.STEPS, steps);
    arguments.set(RegisterTileArguments.A_OFFSET, a.offset());
    arguments.set(
        RegisterTileArguments.A_STRIDE, packed ? 2 * RegisterTileArguments.ROW_BYTES : a.stride());
    arguments.set(
        RegisterTileArguments.SECOND_A,
        packed ? a.stride() : RegisterTileArguments.HALF * a.stride());
    arguments.set(RegisterTileArguments.B_OFFSET, b.offset());
    arguments.set(RegisterTileArguments.NEXT_B, b.stride());
    arguments.set(RegisterTileArguments.C_OFFSET, c.offset());
    arguments.set(RegisterTileArguments.C_STRIDE, c.stride());
    arguments.set(RegisterTileArguments.PANELS, panels);
    arguments.setRows(rows);
    arguments.setLastColumns(cols);
    NativeCall.call(
        registerTiles.get(dot).get(left)[both ? 1 : 0],
        arguments.memory,
        a.memory(),
        b.memory(),
        c.memory());
  }

  /**
   * Rearranges elements; what {@code outer} and {@code inner} count is for {@link Emitter#pack} to
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
      Operand destination) {
    require(outer >= 1, "outer turns", outer);
    require(inner >= 1, "inner turns", inner);
    require(sourceStep >= 0, "source step", sourceStep);
    int group = conversion.dot.group;
    long rows;
    long rowBytes;
    long targetBytes;
    switch (layout) {
      case TRANSPOSED_PANEL -> {
        require(outer <= Target.PANEL_VECTORS, "vectors of a panel", outer);
        rows = (long) outer * lanes;
        rowBytes = (long) inner * lanes * conversion.groupBytes();
        targetBytes = (long) inner * lanes * panelGroupBytes;
      }
      case INTERLEAVED_PANELS, INTERLEAVED_TILES -> {
        int vectors = layout == Layout.INTERLEAVED_TILES ? 1 : Target.PANEL_VECTORS;
        rows = (long) outer * group;
        rowBytes = extent(inner, sourceStep, (long) vectors * lanes * conversion.sourceBytes);
        targetBytes = extent(inner, destination.stride(), (long) outer * vectors * vectorBytes);
      }
      default -> {
        rows = outer;
        rowBytes = (long) inner * lanes * conversion.groupBytes();
        targetBytes = extent(outer, destination.stride(), (long) inner * vectorBytes);
      }
    }
    long sourceBytes = extent(rows, source.stride(), rowBytes);
    within("source", source, sourceBytes, source.memory().byteSize());
    within("target", destination, targetBytes, destination.memory().byteSize());
    arguments.set(PackArguments.OUTER, outer);
    arguments.set(PackArguments.INNER, inner);
    arguments.set(PackArguments.SOURCE_OFFSET, source.offset());
    arguments.set(PackArguments.SOURCE_STRIDE, source.stride());
    arguments.set(PackArguments.SOURCE_STEP, sourceStep);
    arguments.set(PackArguments.TARGET_OFFSET, destination.offset());
    arguments.set(PackArguments.TARGET_STRIDE, destination.stride());
    MemorySegment function = packs.get(conversion).get(layout);
    MemorySegment to = destination.memory();
    NativeCall.call(function, arguments.memory, source.memory(), to, to);
  }

  /**
   * Quantizes rows; the absmax and the sums of the rows are in the arguments afterwards.
   *
   * @throws IndexOutOfBoundsException if any part would lie outside of its memory
   */
  void quantize(
      Pass pass,
      int rows,
      int cols,
      QuantizeArguments arguments,
      MemorySegment x,
      long xOffset,
      long xStride,
      MemorySegment q,
      long qOffset,
      long qStride) {
    require(rows >= 1 && rows <= QuantizeArguments.MAX_ROWS, "rows", rows);
    require(cols >= 0, "columns", cols);
    within("x", xOffset, xStride, extent(rows, xStride, (long) cols * Float.BYTES), x.byteSize());
    if (pass.rounds) {
      long written = (cols + vectorBytes - 1L) / vectorBytes * vectorBytes;
      within("q", qOffset, qStride, extent(rows, qStride, written), q.byteSize());
    }
    arguments.set(QuantizeArguments.X_OFFSET, xOffset);
    arguments.set(QuantizeArguments.X_STRIDE, xStride);
    arguments.set(QuantizeArguments.Q_OFFSET, qOffset);
    arguments.set(QuantizeArguments.Q_STRIDE, qStride);
    arguments.set(QuantizeArguments.ROWS, rows);
    arguments.setCols(cols);
    NativeCall.call(quantizers.get(pass), arguments.memory, x, q, q);
  }

  /** Runs {@code turns} of dot instructions on registers. */
  void peak(Dot dot, int turns) {
    require(turns >= 1, "turns", turns);
    MemorySegment memory = new PeakArguments(target, dot, turns).memory;
    NativeCall.call(peaks.get(dot), memory, memory, memory, memory);
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

  /** The size is asked for where the operand is known: there its class is always the same. */
  private static void within(String what, Operand operand, long bytes, long size) {
    within(what, operand.offset(), operand.stride(), bytes, size);
  }

  private static void within(String what, long offset, long stride, long bytes, long size) {
    if (offset < 0 || stride < 0 || bytes < 0 || bytes > size || offset > size - bytes) {
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
