package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;

/** Tensors made of others, beside {@link Tape#add}. */
public final class Tensors {
  private Tensors() {}

  /**
   * {@code y(i, j) = a(i, j) b(i, j)}: da = dy b, db = dy a.
   *
   * @param tape records and computes
   * @param a [rows, cols]
   * @param b [rows, cols]
   * @return [rows, cols]
   * @throws IllegalArgumentException if the shapes differ
   */
  public static Tensor mul(Tape tape, Tensor a, Tensor b) {
    if (a.rows() != b.rows() || a.cols() != b.cols()) {
      throw new IllegalArgumentException(
          "cannot multiply "
              + a.value().shape()
              + " with "
              + b.value().shape()
              + " by elements (expected equal shapes)");
    }
    FloatMatrix y = tape.result(a.rows(), a.cols());
    multiply(tape, a.value(), b.value(), y);
    return tape.node(y)
        .from(a, b)
        .keeps(a.value(), b.value())
        .backward(
            (gy, kept) -> {
              addProduct(tape, a, gy, kept.floats(1));
              addProduct(tape, b, gy, kept.floats(0));
            });
  }

  private static void addProduct(Tape tape, Tensor x, FloatMatrix gy, FloatMatrix other) {
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      multiply(tape, gy, other, gx);
      tape.addGrad(x, gx);
    }
  }

  /**
   * {@code y = factor x}: dx = factor dy.
   *
   * @param tape records and computes
   * @param x [rows, cols]
   * @param factor any number
   * @return [rows, cols]
   */
  public static Tensor scale(Tape tape, Tensor x, float factor) {
    FloatMatrix y = tape.result(x.rows(), x.cols());
    scale(tape, x.value(), factor, y);
    return tape.node(y)
        .from(x)
        .backward(
            (gy, kept) -> {
              FloatMatrix gx = tape.take(x.rows(), x.cols());
              scale(tape, gy, factor, gx);
              tape.addGrad(x, gx);
            });
  }

  /** {@code out = a b}, in loops of which C2 makes vectors. */
  private static void multiply(Tape tape, FloatMatrix a, FloatMatrix b, FloatMatrix out) {
    tape.kernels()
        .parallel()
        .forEach(a.rows(), i -> multiply(a.data(), a.rowIndex(i), b.data(), b.rowIndex(i), out, i));
  }

  private static void multiply(float[] a, int ao, float[] b, int bo, FloatMatrix out, int row) {
    float[] y = out.data();
    int yo = out.rowIndex(row);
    for (int j = 0; j < out.cols(); j++) {
      y[yo + j] = a[ao + j] * b[bo + j];
    }
  }

  /** {@code out = factor x}. */
  private static void scale(Tape tape, FloatMatrix x, float factor, FloatMatrix out) {
    tape.kernels()
        .parallel()
        .forEach(x.rows(), i -> scale(x.data(), x.rowIndex(i), factor, out, i));
  }

  private static void scale(float[] x, int xo, float factor, FloatMatrix out, int row) {
    float[] y = out.data();
    int yo = out.rowIndex(row);
    for (int j = 0; j < out.cols(); j++) {
      y[yo + j] = factor * x[xo + j];
    }
  }

  /**
   * The features of several tensors, side by side: y = [a, b, ...].
   *
   * @param tape records and computes
   * @param parts one or more, each [rows, its own columns]
   * @return [rows, all columns]
   * @throws IllegalArgumentException if there is none, or their rows differ
   */
  public static Tensor concat(Tape tape, Tensor... parts) {
    List<Tensor> all = List.of(parts); // the caller may change the array
    int cols = 0;
    for (Tensor part : all) {
      cols = Math.addExact(cols, part.cols());
      if (part.rows() != all.getFirst().rows()) {
        throw new IllegalArgumentException(
            "cannot put "
                + part.value().shape()
                + " beside "
                + all.getFirst().value().shape()
                + " (expected equal rows)");
      }
    }
    if (all.isEmpty()) {
      throw new IllegalArgumentException("there is nothing to put side by side (expected tensors)");
    }
    FloatMatrix y = tape.result(all.getFirst().rows(), cols);
    int from = 0;
    for (Tensor part : all) {
      part.value().copyTo(y.columnRange(from, from + part.cols()));
      from += part.cols();
    }
    return tape.node(y).from(all).backward((gy, kept) -> split(tape, all, gy));
  }

  // gy [rows, all columns] -> gx [rows, columns of x], for each part x
  private static void split(Tape tape, List<Tensor> parts, FloatMatrix gy) {
    int from = 0;
    for (Tensor part : parts) {
      if (part.wantsGrad()) {
        FloatMatrix gx = tape.take(part.rows(), part.cols());
        gy.columnRange(from, from + part.cols()).copyTo(gx);
        tape.addGrad(part, gx);
      }
      from += part.cols();
    }
  }
}
