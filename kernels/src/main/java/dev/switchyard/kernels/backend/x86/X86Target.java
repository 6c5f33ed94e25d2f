package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.Emitter;
import dev.switchyard.kernels.backend.emitted.RegisterTileArguments;
import dev.switchyard.kernels.backend.emitted.Target;
import java.util.Arrays;

/**
 * A processor of this architecture.
 *
 * @param set the instructions to use
 * @param hasBfloat16 whether AVX512_BF16 is among them
 * @param l2Bytes level 2 cache, at least that of all processors with AVX2, whatever a virtual
 *     machine reports
 */
public record X86Target(InstructionSet set, boolean hasBfloat16, long l2Bytes) implements Target {
  private static final long LEAST_L2_BYTES = 1 << 17;

  /** For tiles of so many rows. */
  private static final byte[][] SHAPES = new byte[2 * RegisterTileArguments.HALF + 1][];

  static {
    Arrays.setAll(SHAPES, AmxGenerator::shapes);
  }

  public X86Target {
    l2Bytes = Math.max(LEAST_L2_BYTES, l2Bytes);
  }

  @Override
  public String label() {
    return set.label();
  }

  @Override
  public int vectorBytes() {
    return set.vectorBytes;
  }

  @Override
  public int tileRows() {
    return set.tileRows;
  }

  @Override
  public boolean hasMasks() {
    return set.hasEvex();
  }

  @Override
  public boolean usesTileRegisters(Dot dot) {
    return set.usesTiles(dot);
  }

  @Override
  public byte[] shapes(int rows) {
    return SHAPES[rows];
  }

  @Override
  public Dot int8() {
    return set.int8();
  }

  @Override
  public String mnemonic(Dot dot) {
    return set.mnemonic(dot);
  }

  @Override
  public Emitter emitter() {
    return new X86Emitter(set);
  }
}
