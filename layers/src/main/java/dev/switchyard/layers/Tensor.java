package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Locale;

/**
 * A matrix in a computation, rows are tokens and columns are features, and its gradient where one
 * is wanted.
 *
 * <p>What a layer computes on a recording {@link Tape} belongs to the tape's current step, and so
 * does an input that wants a gradient, from its first use on: the next {@link Tape#reset()} ends
 * them.
 */
public final class Tensor {
  private final FloatMatrix value;
  private final boolean wantsGrad;
  private Tape tape;
  private long step;
  private int node = -1;
  private boolean released;

  // The tape adds up the gradient here. Not owned: someone else reads or writes that matrix too.
  FloatMatrix grad;
  boolean ownsGrad;

  private Tensor(FloatMatrix value, boolean wantsGrad) {
    this.value = value;
    this.wantsGrad = wantsGrad;
  }

  /**
   * An input that wants no gradient. It may be used in any step of any tape.
   *
   * @param value the matrix, not copied
   * @return the tensor
   */
  public static Tensor of(FloatMatrix value) {
    return new Tensor(value, false);
  }

  /**
   * An input whose gradient the caller wants to read after the backward pass.
   *
   * @param value the matrix, not copied
   * @return the tensor, for one step
   */
  public static Tensor withGrad(FloatMatrix value) {
    return new Tensor(value, true);
  }

  /**
   * What a layer computed in a step of a tape.
   *
   * @param node its place in the recording, or -1
   */
  static Tensor result(FloatMatrix value, boolean wantsGrad, Tape tape, long step, int node) {
    Tensor tensor = new Tensor(value, wantsGrad);
    tensor.bind(tape, step);
    tensor.node = node;
    return tensor;
  }

  /** Makes the tensor part of a step. */
  void bind(Tape newTape, long newStep) {
    tape = newTape;
    step = newStep;
  }

  Tape tape() {
    return tape;
  }

  /** The place of what computed it in the tape's recording; -1 for an input. */
  int node() {
    return node;
  }

  /** Rows and columns, which can be asked for in any step. */
  String shape() {
    return value.shape();
  }

  /**
   * The matrix.
   *
   * @return the matrix itself
   * @throws IllegalStateException if the tensor belongs to an earlier step of its tape, was an
   *     intermediate result of a layer, or is read by a layer on its way back that does not {@link
   *     Node#keeps keep} it
   */
  public FloatMatrix value() {
    checkStep();
    if (tape != null) {
      tape.requireKept(value);
    }
    return value;
  }

  /**
   * The number of rows.
   *
   * @return how many tokens
   */
  public int rows() {
    return value.rows();
  }

  /**
   * The number of columns.
   *
   * @return how many features
   */
  public int cols() {
    return value.cols();
  }

  /**
   * Whether the backward pass computes the gradient of this tensor.
   *
   * @return true if so
   */
  public boolean wantsGrad() {
    return wantsGrad;
  }

  /**
   * The gradient of an input made by {@link #withGrad}, summed over all uses that were gone back
   * through, until the next {@link Tape#reset()}. It can be read between two calls of backward, and
   * grows with the second if that leads to the input too.
   *
   * @return the gradient, of the value's shape
   * @throws IllegalStateException if there is none, or a part of one since backward has failed,
   *     with the reason
   */
  public FloatMatrix grad() {
    checkStep();
    if (tape != null) {
      tape.requireWholeGradients();
    }
    if (!wantsGrad) {
      throw new IllegalStateException(
          "tensor " + value.shape() + " wants no gradient: make it with Tensor.withGrad");
    }
    if (grad == null) {
      throw new IllegalStateException(
          "tensor "
              + value.shape()
              + " has no gradient: backward was not called, did not reach it, or has already used"
              + " it up (only inputs made with Tensor.withGrad keep theirs)");
    }
    return grad;
  }

  /** The value with its shape and first elements, or that it has ended. */
  @Override
  public String toString() {
    boolean ended = released || (tape != null && !tape.isAt(step));
    return "Tensor of " + (ended ? shape() + ", which has ended" : value);
  }

  /** Ends the value; the gradient may still come. */
  void release() {
    released = true;
  }

  private void checkStep() {
    if (released) {
      throw new IllegalStateException(
          "tensor "
              + value.shape()
              + " was an intermediate result: its layer has given its storage to another (a layer"
              + " that reads it on the way back names it in Node.keeps)");
    }
    if (tape != null && !tape.isAt(step)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "tensor %s belongs to step %d of its tape, which is at step %d: reset() has ended it",
              value.shape(),
              step,
              tape.step()));
    }
  }
}
