package dev.switchyard.kernels.backend.x86.asm;

/**
 * The address {@code base + scale * index + displacement}.
 *
 * @param base a register
 * @param index a register other than RSP, or null
 * @param scale 1, 2, 4 or 8
 * @param displacement added
 * @param broadcast whether one 32-bit element there is spread over all lanes (EVEX only)
 */
public record Mem(Gp base, Gp index, int scale, int displacement, boolean broadcast)
    implements Operand {
  /** {@code base + displacement}. */
  public static Mem at(Gp base, int displacement) {
    return new Mem(base, null, 1, displacement, false);
  }

  /** {@code base + scale * index + displacement}. */
  public static Mem at(Gp base, Gp index, int scale, int displacement) {
    return new Mem(base, index, scale, displacement, false);
  }

  /** The address {@code bytes} further on. */
  public Mem plus(int bytes) {
    return new Mem(base, index, scale, displacement + bytes, broadcast);
  }

  /** The element at this address, in all lanes. */
  public Mem spread() {
    return new Mem(base, index, scale, displacement, true);
  }

  @Override
  public String toString() {
    String sum = base + (index == null ? "" : "+" + index + "*" + scale);
    return "[" + sum + (displacement < 0 ? "" : "+") + displacement + "]";
  }
}
