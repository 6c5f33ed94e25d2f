package dev.switchyard.kernels.backend.x86.asm;

import java.util.Locale;

/**
 * The vector instructions, as the opcode tables of the Intel SDM (volume 2) give them. The name is
 * the mnemonic; a prefix {@code S_} marks the store of an instruction that also loads.
 */
public enum VectorOp {
  VMOVUPS(Prefix.NONE, 1, 0x10, 0, Encoding.BOTH),
  S_VMOVUPS(Prefix.NONE, 1, 0x11, 0, Encoding.BOTH),
  VBROADCASTSS(Prefix.P66, 2, 0x18, 0, Encoding.BOTH),
  VXORPS(Prefix.NONE, 1, 0x57, 0, Encoding.BOTH),
  VORPS(Prefix.NONE, 1, 0x56, 0, Encoding.BOTH),
  VADDPS(Prefix.NONE, 1, 0x58, 0, Encoding.BOTH),
  VMULPS(Prefix.NONE, 1, 0x59, 0, Encoding.BOTH),
  VDIVPS(Prefix.NONE, 1, 0x5E, 0, Encoding.BOTH),
  VANDPS(Prefix.NONE, 1, 0x54, 0, Encoding.BOTH),
  /** The first operand is the one that is inverted. */
  VANDNPS(Prefix.NONE, 1, 0x55, 0, Encoding.BOTH),
  VFMADD213PS(Prefix.P66, 2, 0xA8, 0, Encoding.BOTH),
  VFMADD231PS(Prefix.P66, 2, 0xB8, 0, Encoding.BOTH),
  VCVTDQ2PS(Prefix.NONE, 1, 0x5B, 0, Encoding.BOTH),
  VCVTPS2DQ(Prefix.P66, 1, 0x5B, 0, Encoding.BOTH),
  VPMAXSD(Prefix.P66, 2, 0x3D, 0, Encoding.BOTH),
  VPADDD(Prefix.P66, 1, 0xFE, 0, Encoding.BOTH),
  VPMADDWD(Prefix.P66, 1, 0xF5, 0, Encoding.BOTH),
  /** VEX: AVX-VNNI; EVEX: AVX512-VNNI. Two instructions sets, one opcode. */
  VPDPBUSD(Prefix.P66, 2, 0x50, 0, Encoding.BOTH),
  VDPBF16PS(Prefix.PF3, 2, 0x52, 0, Encoding.EVEX),
  VCVTNEPS2BF16(Prefix.PF3, 2, 0x72, 0, Encoding.EVEX),
  VCVTNE2PS2BF16(Prefix.PF2, 2, 0x72, 0, Encoding.EVEX),
  VUNPCKLPS(Prefix.NONE, 1, 0x14, 0, Encoding.BOTH),
  VUNPCKHPS(Prefix.NONE, 1, 0x15, 0, Encoding.BOTH),
  VUNPCKLPD(Prefix.P66, 1, 0x14, 1, Encoding.BOTH),
  VUNPCKHPD(Prefix.P66, 1, 0x15, 1, Encoding.BOTH),
  VSHUFPS(Prefix.NONE, 1, 0xC6, 0, Encoding.BOTH),
  VPACKSSDW(Prefix.P66, 1, 0x6B, 0, Encoding.BOTH),
  VPACKSSWB(Prefix.P66, 1, 0x63, 0, Encoding.BOTH),
  VPERMD(Prefix.P66, 2, 0x36, 0, Encoding.BOTH),
  VPERM2F128(Prefix.P66, 3, 0x06, 0, Encoding.VEX),
  VSHUFF32X4(Prefix.P66, 3, 0x23, 0, Encoding.EVEX),
  /** Widening loads: a quarter (BD) or a half (WD) of the register's width in memory. */
  VPMOVZXBD(Prefix.P66, 2, 0x31, 0, Encoding.BOTH),
  VPMOVSXBD(Prefix.P66, 2, 0x21, 0, Encoding.BOTH),
  VPMOVZXWD(Prefix.P66, 2, 0x33, 0, Encoding.BOTH),
  VPMOVSXBW(Prefix.P66, 2, 0x20, 0, Encoding.BOTH),
  /** The shifted register is the last operand, the register written is in vvvv. */
  VPSLLD(Prefix.P66, 1, 0x72, 0, Encoding.BOTH),
  VPSRLD(Prefix.P66, 1, 0x72, 0, Encoding.BOTH),
  VPSRAD(Prefix.P66, 1, 0x72, 0, Encoding.BOTH),
  /** Lanes whose mask element has its top bit set; AVX's way to a masked load or store. */
  VMASKMOVPS(Prefix.P66, 2, 0x2C, 0, Encoding.VEX),
  S_VMASKMOVPS(Prefix.P66, 2, 0x2E, 0, Encoding.VEX);

  /** The legacy prefix that an encoding's pp field stands for. */
  enum Prefix {
    NONE(0),
    P66(1),
    PF3(2),
    PF2(3);

    final int bits;

    Prefix(int bits) {
      this.bits = bits;
    }
  }

  enum Encoding {
    VEX,
    EVEX,
    BOTH
  }

  final Prefix prefix;
  final int map;
  final int opcode;

  /** The W bit of the EVEX form; every VEX form here has W0 or ignores it. */
  final int evexW;

  final Encoding encoding;

  VectorOp(Prefix prefix, int map, int opcode, int evexW, Encoding encoding) {
    this.prefix = prefix;
    this.map = map;
    this.opcode = opcode;
    this.evexW = evexW;
    this.encoding = encoding;
  }

  /** The size by which EVEX compresses a displacement: that of the operand in memory. */
  int memoryBytes(int vectorBytes, boolean broadcast) {
    if (broadcast) {
      return Integer.BYTES;
    }
    return switch (this) {
      case VBROADCASTSS -> Integer.BYTES;
      case VPMOVZXBD, VPMOVSXBD -> vectorBytes / 4;
      case VPMOVZXWD, VPMOVSXBW -> vectorBytes / 2;
      default -> vectorBytes;
    };
  }

  /** The opcode extension in the reg field of instructions that need one. */
  int extension() {
    return switch (this) {
      case VPSLLD -> 6;
      case VPSRAD -> 4;
      default -> 2;
    };
  }

  /** The mnemonic. */
  String mnemonic() {
    return (name().startsWith("S_") ? name().substring(2) : name()).toLowerCase(Locale.ROOT);
  }
}
