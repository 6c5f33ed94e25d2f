package dev.switchyard.kernels.backend.x86.asm;

/** The AVX-512 mask registers that can select lanes. */
public enum Mask {
  /** Not a mask: all lanes. */
  ALL(0),
  K1(1),
  K2(2),
  K3(3),
  K4(4);

  /** The number that encodings use. */
  final int number;

  Mask(int number) {
    this.number = number;
  }
}
