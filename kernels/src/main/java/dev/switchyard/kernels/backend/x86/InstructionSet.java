package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.Target;
import java.util.Locale;

/**
 * The instruction sets that kernels are made for, best first, and the tile that suits each.
 *
 * <pre>
 *              vector   registers   tile of sums      beside the sums
 *   AMX        64       8 tiles     32 x 2 vectors    2 of A, 2 of B       (float32: as AVX512)
 *   AVX512     64       32          14 x 2 vectors    2 of B, 2 temporary
 *   AVX_VNNI   32       16           6 x 2 vectors    2 of B, 2 temporary
 *   AVX2       32       16           6 x 2 vectors    2 of B, 2 temporary
 * </pre>
 *
 * Two vectors of B share each element of A that is spread over the lanes: with 14 rows that is 16
 * loads for 28 dot instructions, and two of either can start in a cycle.
 */
public enum InstructionSet {
  /** AMX tiles of int8 and bfloat16, and all of AVX-512 that is used here. */
  AMX(64, 14),
  /** F, BW, DQ, VL and VNNI. */
  AVX512(64, 14),
  /** AVX2, FMA and the 256-bit VNNI. */
  AVX_VNNI(32, 6),
  /** AVX2 and FMA. */
  AVX2(32, 6);

  /** Bytes of a vector. */
  final int vectorBytes;

  /** Most rows of a tile whose sums are vectors. */
  final int tileRows;

  InstructionSet(int vectorBytes, int tileRows) {
    this.vectorBytes = vectorBytes;
    this.tileRows = tileRows;
  }

  /** A name for users. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Elements of 32 bits in a vector. */
  int lanes() {
    return vectorBytes / Integer.BYTES;
  }

  /** Bytes of a group of a panel. */
  int panelGroupBytes() {
    return Target.PANEL_VECTORS * vectorBytes;
  }

  /** Whether there are EVEX forms: mask registers and operands spread on the way. */
  boolean hasEvex() {
    return vectorBytes == 64;
  }

  /** Whether a dot works on tile registers, see {@link AmxGenerator}. */
  boolean usesTiles(Dot dot) {
    return this == AMX && dot != Dot.FLOAT32;
  }

  /** The name of the instruction of a dot. */
  String mnemonic(Dot dot) {
    return !usesTiles(dot)
        ? vectorMnemonic(dot) + ", " + vectorBytes * Byte.SIZE + " bits"
        : dot.isInteger() ? "tdpbsud, 16 x 64 bytes" : "tdpbf16ps, 16 x 64 bytes";
  }

  private static String vectorMnemonic(Dot dot) {
    return switch (dot) {
      case INT8 -> "vpdpbusd";
      case INT16 -> "vpmaddwd + vpaddd";
      case BFLOAT16 -> "vdpbf16ps";
      case FLOAT32 -> "vfmadd231ps";
    };
  }

  /** The dot instruction for int8 products. */
  Dot int8() {
    return this == AVX2 ? Dot.INT16 : Dot.INT8;
  }
}
