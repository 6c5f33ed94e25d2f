package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Something that is learned: a value, the gradient that backward passes add up, and a version by
 * which layers notice that the copies they keep in other layouts are out of date.
 *
 * <p>For use by one thread at a time.
 */
public final class Parameter {
  private final String name;
  private final FloatMatrix value;
  private final boolean decays;
  private FloatMatrix grad;
  private long version;
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
    this.value = value;
    this.decays = decays;
  }

  /**
   * A vector, as biases and gains are: weight decay does not apply to it.
   *
   * @param name unique in a model
   * @param value its elements, not copied
   * @return the parameter, a matrix of one row
   */
  public static Parameter vector(String name, float... value) {
    return new Parameter(name, FloatMatrix.of(value, 1, value.length), false);
  }

  /**
   * The parameters of several layers, one list after the other; a parameter that layers have in
   * common (tied weights) is listed once, where it comes first.
   *
   * @param lists of parameters
   * @return all of them
   */
  @SafeVarargs
  public static List<Parameter> concat(List<Parameter>... lists) {
    Set<Parameter> all = new LinkedHashSet<>();
    for (List<Parameter> list : lists) {
      all.addAll(list);
    }
    return List.copyOf(all);
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
   */
  public FloatMatrix value() {
    return value;
  }

  /**
   * The gradient, to which each backward pass adds; zero at first.
   *
   * @return the matrix itself, of the value's shape
   */
  public FloatMatrix grad() {
    if (grad == null) { // frozen parameters never need one
      grad = FloatMatrix.allocate(value.rows(), value.cols());
    }
    return grad;
  }

  /** Sets the gradient to zero. */
  public void zeroGrad() {
    if (grad != null) {
      Arrays.fill(grad.data(), 0);
    }
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

  @Override
  public String toString() {
    return name + " " + value.shape();
  }
}
