package dev.switchyard.kernels.backend.x86.asm;

import java.util.Locale;

/** The 64-bit general-purpose registers, in the order of their numbers. */
public enum Gp {
  RAX(0),
  RCX(1),
  RDX(2),
  RBX(3),
  RSP(4),
  RBP(5),
  RSI(6),
  RDI(7),
  R8(8),
  R9(9),
  R10(10),
  R11(11),
  R12(12),
  R13(13),
  R14(14),
  R15(15);

  /** The number that encodings use. */
  final int number;

  Gp(int number) {
    this.number = number;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The name of the lower 32 bits. */
  String lower() {
    return number < 8 ? "e" + toString().substring(1) : this + "d";
  }
}
