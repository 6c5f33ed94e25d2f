package dev.switchyard.kernels.backend.x86.asm;

/**
 * A tile register of AMX: up to 16 rows of up to 64 bytes.
 *
 * @param number 0 to 7
 */
public record Tmm(int number) {
  @Override
  public String toString() {
    return "tmm" + number;
  }
}
