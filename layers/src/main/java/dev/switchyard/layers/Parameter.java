package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Something that is learned: a value, the gradient that backward passes add up, and a version by
 * which layers notice that the copies they keep in other layouts are out of date.
 *
 * <p>For use by one thread at a time.
 */
public final class Parameter {
  private final String name;
  private final int rows;
  private final int cols;
  private final boolean decays;
  private final boolean vector;
  private FloatMatrix value; // null while released
  private boolean pinned;
  private FloatMatrix grad;
  private long version;
  private long zeroings;
  private boolean frozen;

  /**
   * A parameter over a matrix, which it does not copy.
   *
   * @param name unique in a model, such as {@code block0.attention.out.weight}
   * @param value the initial value: dense, and alone in its array
   * @param decays whether an optimizer applies weight decay to it
   * @throws IllegalArgumentException if the matrix is a view of part of an array
   */
  public Parameter(String name, FloatMatrix value, boolean decays) {
    this(name, value, decays, false);
  }

  private Parameter(String name, FloatMatrix value, boolean decays, boolean vector) {
    if (value.data().length != (long) value.rows() * value.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "parameter %s is %s in an array of %d elements (expected the array to hold nothing"
                  + " else)",
              name,
              value.shape(),
              value.data().length));
    }
    this.name = name;
    this.rows = value.rows();
    this.cols = value.cols();
    this.value = value;
    this.decays = decays;
    this.vector = vector;
  }

  /**
   * A vector, as biases and gains are: weight decay does not apply to it.
   *
   * @param name unique in a model
   * @param value its elements, not copied
   * @return the parameter, a matrix of one row
   */
  public static Parameter vector(String name, float... value) {
    return new Parameter(name, FloatMatrix.of(value, 1, value.length), false, true);
  }

  /**
   * The name.
   *
   * @return the name, unique in a model
   */
  public String name() {
    return name;
  }

  /**
   * The value. Whoever writes to it calls {@link #markChanged()} afterwards.
   *
   * @return the matrix itself
   * @throws IllegalStateException if there is none: it was released, see {@link
   *     Precisions#release}, or {@link #assign(List, List, Runnable)} has failed
   */
  public FloatMatrix value() {
    requireValue();
    return value;
  }

  void requireValue() {
    if (value == null) {
      throw new IllegalStateException(
          "parameter "
              + this
              + " has no value: it was released, and only int8 panels for inference are left, or an"
              + " error has ended its assignment (to train, convert, save or compute on another"
              + " backend, assign it first, as Weights.load does)");
    }
  }

  /**
   * Sets the value and says that it has changed. A value that was released is there again.
   *
   * @param newValue [rows, cols], copied
   * @throws IllegalArgumentException if it has another shape
   */
  public void assign(FloatMatrix newValue) {
    assign(List.of(this), List.of(newValue), () -> {});
  }

  /**
   * Sets the values of parameters that belong together, and says that they have changed. All have
   * their new values afterwards; or, after an exception, their old ones; or, after an error in the
   * middle, none, so that {@link #value()} refuses each until it is assigned again. Nobody computes
   * with weights of which some are new and others old.
   *
   * @param parameters whose values to set
   * @param values one for each, of its shape, copied
   * @param meanwhile sets whatever else belongs to them, such as the moments of an optimizer, while
   *     they have no values
   * @throws IllegalArgumentException if a value has another shape, or there are more of one than of
   *     the other; nothing is changed then
   */
  public static void assign(
      List<Parameter> parameters, List<FloatMatrix> values, Runnable meanwhile) {
    if (parameters.size() != values.size()) {
      throw new IllegalArgumentException(
          parameters.size()
              + " parameters and "
              + values.size()
              + " values (expected one for each)");
    }
    Parameter[] to = parameters.toArray(Parameter[]::new);
    FloatMatrix[] before = new FloatMatrix[to.length];
    FloatMatrix[] after = new FloatMatrix[to.length];
    for (int i = 0; i < to.length; i++) {
      to[i].requireShapeOf(values.get(i));
      before[i] = to[i].value;
      after[i] = before[i] == null ? FloatMatrix.allocate(to[i].rows, to[i].cols) : before[i];
    }
    for (Parameter parameter : to) { // no call, which could be the one that fails
      parameter.version++;
      parameter.value = null;
    }
    try {
      meanwhile.run();
    } catch (RuntimeException e) {
      for (int i = 0; i < to.length; i++) {
        to[i].version--;
        to[i].value = before[i];
      }
      throw e;
    }
    for (int i = 0; i < to.length; i++) {
      values.get(i).copyTo(after[i]);
    }
    for (int i = 0; i < to.length; i++) {
      to[i].value = after[i];
    }
  }

  private void requireShapeOf(FloatMatrix newValue) {
    if (newValue.rows() != rows || newValue.cols() != cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "value is %s but parameter %s is %dx%d (expected equal)",
              newValue.shape(),
              name,
              rows,
              cols));
    }
  }

  /**
   * Makes a parameter of the same name and value that learns, or is frozen, for itself.
   *
   * @return the copy
   */
  public Parameter copy() {
    return copy(name, value());
  }

  /** One of another name with some of the values. */
  Parameter copy(String newName, FloatMatrix values) {
    Parameter copy =
        new Parameter(newName, FloatMatrix.allocate(values.rows(), values.cols()), decays, vector);
    copy.assign(values);
    copy.setFrozen(frozen);
    return copy;
  }

  /**
   * The rows of the value, which are there even while the value is not.
   *
   * @return how many
   */
  public int rows() {
    return rows;
  }

  /**
   * The columns of the value, which are there even while the value is not.
   *
   * @return how many
   */
  public int cols() {
    return cols;
  }

  /**
   * Says that someone reads the value itself in inference too, as an embedding does: {@link
   * Precisions#release} keeps it.
   */
  public void pin() {
    pinned = true;
  }

  boolean pinned() {
    return pinned;
  }

  boolean released() {
    return value == null;
  }

  /** Lets go of values and gradients, of all or after an error of none. */
  static void release(List<Parameter> parameters) {
    for (Parameter parameter : parameters.toArray(Parameter[]::new)) {
      parameter.value = null;
      parameter.grad = null;
    }
  }

  /**
   * The gradient, to which each backward pass adds; zero at first.
   *
   * @return the matrix itself, of the value's shape
   */
  public FloatMatrix grad() {
    if (grad == null) { // frozen parameters never need one
      grad = FloatMatrix.allocate(rows, cols);
    }
    return grad;
  }

  /** Sets the gradient to zero. */
  public void zeroGrad() {
    zeroings++;
    if (grad != null) {
      Arrays.fill(grad.data(), 0);
    }
  }

  /**
   * Counts how often the gradient was set to zero. Who adds up over several backward passes knows
   * by it that those before were thrown away.
   *
   * @return a number that grows with each {@link #zeroGrad()}
   */
  public long zeroings() {
    return zeroings;
  }

  /**
   * Counts the changes of the value.
   *
   * @return a number that grows with each change
   */
  public long version() {
    return version;
  }

  /** Says that the value has changed. */
  public void markChanged() {
    version++;
  }

  /**
   * Whether an optimizer applies weight decay.
   *
   * @return true for matrices, by default
   */
  public boolean decays() {
    return decays;
  }

  /**
   * Whether it is a vector, see {@link #vector}, and not a matrix that happens to have one row:
   * files keep it in one dimension.
   *
   * @return true for biases and gains
   */
  public boolean isVector() {
    return vector;
  }

  /**
   * Whether the parameter stays as it is: no gradient is computed, optimizers pass over it.
   *
   * @return true if so
   */
  public boolean frozen() {
    return frozen;
  }

  /**
   * Freezes the parameter or lets it learn again; from the next forward pass on.
   *
   * @param newFrozen whether it stays as it is
   */
  public void setFrozen(boolean newFrozen) {
    frozen = newFrozen;
  }

  /**
   * Freezes parameters or lets them learn again, all or after an error none.
   *
   * @param parameters which
   * @param frozen whether they stay as they are
   */
  public static void setFrozen(List<Parameter> parameters, boolean frozen) {
    for (Parameter parameter : parameters.toArray(Parameter[]::new)) {
      parameter.frozen = frozen;
    }
  }

  @Override
  public String toString() {
    return name + " " + rows + "x" + cols;
  }
}
