package dev.switchyard.faults;

import java.util.Arrays;
import java.util.concurrent.Callable;

/** What calls give. */
public final class Outcomes {
  private Outcomes() {}

  /** The outcome of a call that throws no checked exception. */
  public static <T> T of(Callable<T> call) {
    try {
      return call.call();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Whether two outcomes are equal, arrays of floats bit for bit. */
  public static boolean same(Object a, Object b) {
    return Arrays.deepEquals(new Object[] {a}, new Object[] {b});
  }
}
