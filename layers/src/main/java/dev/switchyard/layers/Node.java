package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a layer tells its {@link Tape} of a result: what it was computed from, what the way back
 * reads, and how to go back.
 *
 * <pre>{@code
 * return tape.node(y).from(x).uses(gain).keeps(x.value())
 *     .backward((gy, kept) -> backward(tape, x, kept.floats(0), gy));
 * }</pre>
 *
 * <p>Storage that no layer keeps goes to the next layer, so the way back reads nothing but what it
 * is handed: a tensor that was not named refuses its value there, and {@code GradientCheck} of the
 * test kit finds a matrix that was read all the same.
 */
public final class Node {
  /** How to go back through one layer: adds to the gradients of its inputs and parameters. */
  @FunctionalInterface
  public interface Backward {
    /**
     * Goes back.
     *
     * @param gy the gradient of the result; it must not be written to or kept
     * @param kept the matrices that the layer has named, as they were
     */
    void run(FloatMatrix gy, Kept kept);
  }

  /** What {@link Node#keeps} has named, in that order. */
  public static final class Kept {
    private final List<Matrix> matrices;

    private Kept(List<Matrix> matrices) {
      this.matrices = matrices;
    }

    /**
     * A matrix of floats.
     *
     * @param i its place, from 0
     * @return the matrix
     */
    public FloatMatrix floats(int i) {
      return (FloatMatrix) matrices.get(i);
    }

    /**
     * A matrix of any kind.
     *
     * @param i its place, from 0
     * @return the matrix
     */
    public Matrix matrix(int i) {
      return matrices.get(i);
    }

    /**
     * How many there are.
     *
     * @return the number of matrices
     */
    public int count() {
      return matrices.size();
    }
  }

  /**
   * A parameter as it was when the layer computed with it.
   *
   * @param version its version then
   * @param frozen whether it was frozen then
   */
  record Use(Parameter parameter, long version, boolean frozen) {
    Use(Parameter parameter) {
      this(parameter, parameter.version(), parameter.frozen());
    }

    void check() {
      if (parameter.version() != version) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "parameter %s was changed between forward and backward: version %d then, %d now",
                parameter,
                version,
                parameter.version()));
      }
      if (parameter.frozen() != frozen) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "parameter %s was %s between forward and backward (expected that before forward or"
                    + " after backward)",
                parameter,
                frozen ? "unfrozen" : "frozen"));
      }
    }
  }

  private final Tape tape;
  private final FloatMatrix value;
  private List<Tensor> from = List.of();
  private List<Use> uses = List.of();
  private List<Matrix> kept = List.of();
  private Backward backward;
  private Tensor result;

  Node(Tape tape, FloatMatrix value) {
    this.tape = tape;
    this.value = value;
  }

  /**
   * Names what the result was computed from.
   *
   * @param tensors all of them
   * @return this
   */
  public Node from(Tensor... tensors) {
    return from(List.of(tensors));
  }

  /**
   * Names what the result was computed from.
   *
   * @param tensors all of them
   * @return this
   */
  public Node from(List<Tensor> tensors) {
    from = List.copyOf(tensors);
    return this;
  }

  /**
   * Names what else it was computed from.
   *
   * @param parameters all of them, whether they learn or not
   * @return this
   */
  public Node uses(Parameter... parameters) {
    return uses(List.of(parameters));
  }

  /**
   * Names what else it was computed from.
   *
   * @param parameters all of them, whether they learn or not
   * @return this
   */
  public Node uses(List<Parameter> parameters) {
    uses = new ArrayList<>(parameters.size());
    for (Parameter parameter : parameters) {
      uses.add(new Use(parameter));
    }
    return this;
  }

  /**
   * Names what the way back reads; it is handed these, and nobody recycles them before.
   *
   * @param matrices values of tensors, or buffers of {@link Tape#result}
   * @return this
   */
  public Node keeps(Matrix... matrices) {
    kept = List.of(matrices);
    return this;
  }

  /**
   * Says how to go back, and makes a tensor of the result.
   *
   * @param how is called only if something above wants a gradient
   * @return the tensor
   * @throws IllegalStateException if the step has gone back already, or a tensor belongs to another
   *     tape or to an earlier step, or another thread has begun the step
   */
  public Tensor backward(Backward how) {
    backward = how;
    return tape.record(this);
  }

  FloatMatrix value() {
    return value;
  }

  List<Tensor> from() {
    return from;
  }

  List<Use> uses() {
    return uses;
  }

  List<Matrix> kept() {
    return kept;
  }

  Tensor result() {
    return result;
  }

  void setResult(Tensor tensor) {
    result = tensor;
  }

  /** Whether a gradient has to come here at all. */
  boolean learns() {
    for (Tensor x : from) {
      if (x.wantsGrad()) {
        return true;
      }
    }
    for (Use use : uses) {
      if (!use.frozen()) {
        return true;
      }
    }
    return false;
  }

  void run(FloatMatrix gy) {
    backward.run(gy, new Kept(kept));
  }
}
