package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.data.ElementType;

/** The processor that code is emitted for: its registers, its instructions and its cache. */
public interface Target {
  /** Vectors of B in a group of a panel. */
  int PANEL_VECTORS = 2;

  /** A name for users and files. */
  String label();

  /** Bytes of a vector. */
  int vectorBytes();

  /** Most rows of a tile whose sums are vectors. */
  int tileRows();

  /** Whether registers of bits select lanes; else vectors do. */
  boolean hasMasks();

  /** Whether a dot works on tile registers. */
  boolean usesTileRegisters(Dot dot);

  /** What tile registers are set up with for tiles of so many rows. */
  byte[] shapes(int rows);

  /** Whether there are instructions for bfloat16. */
  boolean hasBfloat16();

  /** The dot instruction for int8 products. */
  Dot int8();

  /** The name of the instruction of a dot. */
  String mnemonic(Dot dot);

  /** Bytes of the level 2 cache of a core. */
  long l2Bytes();

  /** An emitter that has emitted nothing yet. */
  Emitter emitter();

  /** The instruction that multiplies a type. */
  default Dot dot(ElementType type) {
    return switch (type) {
      case INT8 -> int8();
      case BFLOAT16 -> hasBfloat16() ? Dot.BFLOAT16 : Dot.FLOAT32;
      case FLOAT32 -> Dot.FLOAT32;
    };
  }

  /** Elements of 32 bits in a vector. */
  default int lanes() {
    return vectorBytes() / Integer.BYTES;
  }

  /** Columns of a panel. */
  default int panelCols() {
    return PANEL_VECTORS * lanes();
  }

  /** Bytes of a group of a panel. */
  default int panelGroupBytes() {
    return PANEL_VECTORS * vectorBytes();
  }

  /** Most rows of a tile. */
  default int tileRows(Dot dot) {
    return usesTileRegisters(dot) ? 2 * RegisterTileArguments.HALF : tileRows();
  }

  /** Groups of k that a dot takes at once; B holds zeros up to a multiple of them. */
  default int stepGroups(Dot dot) {
    return usesTileRegisters(dot) ? RegisterTileArguments.STEP : 1;
  }

  /** Multiplications and additions of a turn of {@link Emitter#peak}. */
  default long peakOperations(Dot dot) {
    long groups =
        usesTileRegisters(dot)
            ? (long) tileRows(dot) * panelCols() * RegisterTileArguments.STEP
            : (long) tileRows() * PANEL_VECTORS * lanes();
    return 2 * groups * dot.group;
  }
}
