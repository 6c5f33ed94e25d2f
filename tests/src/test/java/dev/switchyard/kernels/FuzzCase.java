package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;

/**
 * One call with all that it is given, what it has to do, and whether it did. A seed makes the same
 * case any number of times, each with arrays of its own: one for the backend under test, one for
 * the reference.
 */
final class FuzzCase {
  /** A result that any float is right for, where the documentation promises none. */
  static final IntToDoubleFunction ANY = i -> Double.POSITIVE_INFINITY;

  static final IntToDoubleFunction EXACT = i -> 0;

  final Canaries canaries = new Canaries();
  private final List<Output> outputs = new ArrayList<>();
  private final Set<Class<? extends RuntimeException>> refusals = new LinkedHashSet<>();
  private Consumer<Kernels> call = kernels -> {};
  private Runnable afterRefusal = () -> {};
  private String name = "";

  /** How far a value may be from that of the reference backend. */
  private record Output(Supplier<double[]> values, IntToDoubleFunction bound) {}

  void call(String newName, Consumer<Kernels> newCall) {
    name = newName;
    call = newCall;
  }

  /** What else has to hold when the call was refused. */
  void afterRefusal(Runnable check) {
    afterRefusal = check;
  }

  /** The call breaks its contract: it must throw this, or another that was named. */
  void refuse(Class<? extends RuntimeException> exception) {
    refusals.add(exception);
  }

  void require(boolean condition) {
    if (!condition) {
      refuse(IllegalArgumentException.class);
    }
  }

  boolean isRefused() {
    return !refusals.isEmpty();
  }

  void output(Supplier<double[]> values, IntToDoubleFunction bound) {
    outputs.add(new Output(values, bound));
  }

  /** A view that the call may write. */
  void output(Result view, IntToDoubleFunction bound) {
    canaries.allow(view);
    output(() -> values(view), bound);
  }

  void output(float[] array, int offset, int length, IntToDoubleFunction bound) {
    output(new FloatMatrix(array, offset, 1, length, length), bound);
  }

  void output(QuantizedMatrix q) {
    output(
        () -> {
          int[] content = Matrices.content(q);
          double[] values = new double[content.length];
          Arrays.setAll(values, i -> content[i]);
          return values;
        },
        EXACT);
  }

  private static double[] values(Result view) {
    double[] values = new double[view.rows() * view.cols()];
    for (int i = 0; i < values.length; i++) {
      int row = i / view.cols();
      int col = i % view.cols();
      values[i] =
          switch (view) {
            case FloatMatrix m -> m.get(row, col);
            case Bfloat16Matrix m -> m.get(row, col);
            case IntMatrix m -> m.get(row, col);
          };
    }
    return values;
  }

  /**
   * Makes the call.
   *
   * @return what is wrong with what it did, or null
   */
  String run(Kernels kernels) {
    canaries.snapshot();
    try {
      call.accept(kernels);
    } catch (RuntimeException e) {
      return judge(e);
    }
    String disturbed = canaries.disturbed(false);
    if (disturbed != null) {
      return disturbed;
    }
    return isRefused() ? "accepted, but should have been refused with one of " + refusals : null;
  }

  /** Makes the call and nothing else: errors, too, are the caller's to judge. */
  void make(Kernels kernels) {
    call.accept(kernels);
  }

  private String judge(RuntimeException e) {
    String disturbed = canaries.disturbed(true);
    if (!refusals.contains(e.getClass())) {
      return "threw " + e + " (expected one of " + refusals + ")" + trace(e);
    }
    // HotSpot throws what it has seen often without a message, and without a trace.
    boolean silent = e.getMessage() == null || e.getMessage().isBlank();
    if (silent && e.getStackTrace().length > 0) {
      return "threw " + e + ", which says nothing" + trace(e);
    }
    if (disturbed != null) {
      return "threw " + e + ", but " + disturbed;
    }
    afterRefusal.run();
    return null;
  }

  private static String trace(RuntimeException e) {
    StringBuilder trace = new StringBuilder();
    for (int i = 0; i < Math.min(8, e.getStackTrace().length); i++) {
      trace.append("\n    at ").append(e.getStackTrace()[i]);
    }
    return trace.toString();
  }

  /** The first value that is not within its bound of what the same case gave elsewhere, or null. */
  String difference(FuzzCase expected) {
    for (int k = 0; k < outputs.size(); k++) {
      double[] actual = outputs.get(k).values.get();
      double[] right = expected.outputs.get(k).values.get();
      if (actual.length != right.length) {
        return String.format(
            Locale.ROOT, "result %d has %d values, not %d", k, actual.length, right.length);
      }
      for (int i = 0; i < actual.length; i++) {
        boolean same = actual[i] == right[i] || (Double.isNaN(actual[i]) && Double.isNaN(right[i]));
        if (!same && !within(actual[i], right[i], outputs.get(k).bound.applyAsDouble(i))) {
          return String.format(
              Locale.ROOT,
              "value %d of %d of result %d is %s, but %s on the reference, bound %s",
              i,
              actual.length,
              k,
              actual[i],
              right[i],
              outputs.get(k).bound.applyAsDouble(i));
        }
      }
    }
    return null;
  }

  private static boolean within(double actual, double right, double bound) {
    return bound == Double.POSITIVE_INFINITY || Math.abs(actual - right) <= bound;
  }

  @Override
  public String toString() {
    return name;
  }
}
