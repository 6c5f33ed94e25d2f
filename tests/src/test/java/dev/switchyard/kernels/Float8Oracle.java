package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Float8Format;
import java.util.Map;
import java.util.TreeMap;

/**
 * A float8 format as the list of its numbers, written down from the format's description and
 * searched for the nearest: another way to the same rounding.
 */
public final class Float8Oracle {
  /** The magnitude of each code without its sign. */
  private final TreeMap<Double, Integer> codes = new TreeMap<>();

  /** The numbers of a format. */
  public Float8Oracle(Float8Format format) {
    switch (format) {
      case E4M3 -> fill(3, 7, 0x1p-9, 0x7e); // 0x7f is NaN
      case E5M2 -> fill(2, 15, 0x1p-16, 0x7b); // from 0x7c on infinity and NaNs
      case E4M3_PAPER -> fill(3, 7, 0x1p-11, 0x7f);
      case E5M2_PAPER -> fill(2, 15, 0x1p-18, 0x7f);
    }
  }

  private void fill(int mantissaBits, int bias, double quantum, int lastCode) {
    int mantissas = 1 << mantissaBits;
    for (int code = 0; code <= lastCode; code++) {
      int exponent = code / mantissas;
      double mantissa = code % mantissas;
      double value =
          exponent == 0
              ? mantissa * quantum
              : (1 + mantissa / mantissas) * Math.pow(2, exponent - bias);
      codes.put(value, code);
    }
  }

  /** The magnitudes in ascending order, with their codes. */
  Map<Double, Integer> codes() {
    return codes;
  }

  /** The nearest number, of two equally near ones that with the even code. */
  public double round(double value) {
    double magnitude = Math.abs(value);
    Map.Entry<Double, Integer> below = codes.floorEntry(magnitude);
    Map.Entry<Double, Integer> above = codes.ceilingEntry(magnitude);
    double nearest;
    if (above == null) {
      nearest = below.getKey();
    } else {
      double down = magnitude - below.getKey(); // exact: floats in a double
      double up = above.getKey() - magnitude;
      boolean takeBelow = down < up || (down == up && below.getValue() % 2 == 0);
      nearest = takeBelow ? below.getKey() : above.getKey();
    }
    return Math.copySign(nearest, value);
  }
}
