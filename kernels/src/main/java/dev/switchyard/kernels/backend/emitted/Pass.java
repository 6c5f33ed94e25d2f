package dev.switchyard.kernels.backend.emitted;

/** Which parts of quantization a pass over rows does. */
public enum Pass {
  ABSMAX(true, false),
  ROUND(false, true),
  ABSMAX_AND_ROUND(true, true);

  public final boolean findsMax;
  public final boolean rounds;

  Pass(boolean findsMax, boolean rounds) {
    this.findsMax = findsMax;
    this.rounds = rounds;
  }
}
