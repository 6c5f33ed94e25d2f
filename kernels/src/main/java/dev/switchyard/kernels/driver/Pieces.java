package dev.switchyard.kernels.driver;

/**
 * A range from 0 to {@code extent} in pieces of equal size, of which the last may be smaller. Exact
 * for every extent: what two pieces add up to may be more than an int.
 *
 * @param extent how long the range is
 * @param size of a piece, 1 or more
 */
record Pieces(int extent, int size) {
  /**
   * So many pieces or fewer.
   *
   * @param most 1 or more
   * @param grain all pieces but the last are multiples of it
   */
  static Pieces of(int extent, int most, int grain) {
    long size = (long) Math.ceilDiv(Math.ceilDiv(extent, most), grain) * grain;
    return new Pieces(extent, Math.clamp(size, 1, Math.max(1, extent)));
  }

  int count() {
    return Math.ceilDiv(extent, size);
  }

  int begin(int piece) {
    return (int) Math.min(extent, (long) piece * size);
  }

  int end(int piece) {
    return (int) Math.min(extent, (piece + 1L) * size);
  }
}
