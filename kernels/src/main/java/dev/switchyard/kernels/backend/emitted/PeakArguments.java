package dev.switchyard.kernels.backend.emitted;

/** The parameters of a peak loop; see {@link Emitter#peak}. Names are offsets in bytes. */
public final class PeakArguments extends Arguments {
  public static final int TURNS = 0;

  /** 32 bits that the operands are filled with. */
  public static final int VALUE = 8;

  /** The shapes of tile registers. */
  public static final int SHAPES = 64;

  PeakArguments(Target target, Dot dot, int turns) {
    super(SHAPES + RegisterTileArguments.SHAPES_BYTES);
    set(TURNS, turns);
    set(VALUE, dot.ones);
    setBytes(SHAPES, target.shapes(2 * RegisterTileArguments.HALF));
  }
}
