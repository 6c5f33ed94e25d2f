package dev.switchyard.bench.doctor;

/** How fast one thread copies memory: the measure of passes that compute little, as quantizers. */
public final class CopyBandwidth {
  /** Far more than caches hold, if the heap has room for it. */
  private static final int BYTES = 256 << 20;

  private static final int REPETITIONS = 5;

  private CopyBandwidth() {}

  /** Copied bytes in a nanosecond, each of them read once and written once: the best of a few. */
  public static double measure() {
    int bytes = (int) Math.min(BYTES, Runtime.getRuntime().maxMemory() / 8);
    byte[] from = new byte[bytes];
    byte[] to = new byte[bytes];
    long best = Long.MAX_VALUE;
    for (int i = 0; i <= REPETITIONS; i++) {
      long start = System.nanoTime();
      System.arraycopy(from, 0, to, 0, bytes);
      long nanos = System.nanoTime() - start;
      if (i > 0) { // the first copy touches pages that the system has yet to provide
        best = Math.min(best, nanos);
      }
    }
    return (double) bytes / Math.max(best, 1);
  }
}
