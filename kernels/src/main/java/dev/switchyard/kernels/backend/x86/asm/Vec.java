package dev.switchyard.kernels.backend.x86.asm;

/**
 * A vector register.
 *
 * @param number 0 to 31; from 16 on only EVEX can name it
 * @param bytes its width: 16, 32 or 64
 */
public record Vec(int number, int bytes) implements Operand {
  /** The same register, seen at another width. */
  public Vec as(int newBytes) {
    return new Vec(number, newBytes);
  }

  @Override
  public String toString() {
    return (bytes == 64 ? "zmm" : bytes == 32 ? "ymm" : "xmm") + number;
  }
}
