package dev.switchyard.kernels.backend.emitted;

/** Emits functions one behind the other, each of the addresses that {@link NativeCall} passes. */
public interface Emitter {
  /**
   * The product of tiles of A, one below the other, with a panel of B: {@link TileArguments}, A, B,
   * C. A sum is one chain over k whatever the tile's rows.
   */
  void tile(Dot dot, Left left, int rows);

  /**
   * The product of a tile of A with panels of B on tile registers: {@link RegisterTileArguments},
   * A, B, C.
   *
   * @param both whether the tile has more than 16 rows
   */
  void registerTile(Dot dot, Left left, boolean both);

  /**
   * The rearrangement of elements into groups of k: {@link PackArguments}, source, target. What the
   * arguments call outer and inner turns are vectors of a panel and squares ({@link
   * Layout#TRANSPOSED_PANEL}), groups and panels or tiles, or rows and vectors ({@link
   * Layout#ROWS}).
   */
  void pack(Conversion conversion, Layout layout);

  /** The quantization of rows: {@link QuantizeArguments}, x, q. */
  void quantize(Pass pass);

  /** A loop of dot instructions on registers: {@link PeakArguments}. */
  void peak(Dot dot);

  /** Bytes emitted so far. */
  int position();

  /** Goes on at a multiple of so many bytes. */
  void align(int bytes);

  /** All that was emitted. */
  byte[] toBytes();
}
