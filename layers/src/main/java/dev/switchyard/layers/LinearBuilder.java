package dev.switchyard.layers;

import dev.switchyard.kernels.data.ElementType;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Makes a {@link Linear} layer of given parameters: without a bias and in float32, unless it is
 * told otherwise.
 */
public final class LinearBuilder {
  private final Parameter weight;
  private Parameter bias;
  private Precision precision = Precision.FLOAT32;
  private ElementType weightGradient;
  private Precision inputGradientPrecision;
  private Precision weightGradientPrecision;
  private LinearProducts.Factory own;

  LinearBuilder(Parameter weight) {
    this.weight = Objects.requireNonNull(weight, "weight");
  }

  /**
   * Adds a bias.
   *
   * @param newBias as many elements as there are outputs, or null for none
   * @return this
   */
  public LinearBuilder bias(Parameter newBias) {
    bias = newBias;
    return this;
  }

  /**
   * Says how the products are computed.
   *
   * @param newPrecision of all three, but for what else is said
   * @return this
   */
  public LinearBuilder precision(Precision newPrecision) {
    precision = Objects.requireNonNull(newPrecision, "newPrecision");
    return this;
  }

  /**
   * Says in which type the weight gradient is computed.
   *
   * @param type to what its operands are rounded; its sums are float32. SwitchBack and its
   *     relatives take FLOAT32 or BFLOAT16, the other precisions only their own type
   * @return this
   */
  public LinearBuilder weightGradient(ElementType type) {
    weightGradient = Objects.requireNonNull(type, "type");
    return this;
  }

  /**
   * Has the gradients computed as other precisions do it: for experiments on which product bears
   * what.
   *
   * @param ofInput how dX is computed
   * @param ofWeight how dW is computed; what is kept for it is for the precision of the output to
   *     say, so that SWITCHBACK_M is the same here as SWITCHBACK
   * @return this
   */
  public LinearBuilder gradients(Precision ofInput, Precision ofWeight) {
    inputGradientPrecision = Objects.requireNonNull(ofInput, "ofInput");
    weightGradientPrecision = Objects.requireNonNull(ofWeight, "ofWeight");
    return this;
  }

  /**
   * Has the products computed in a way of one's own. The precision is then what reports call it;
   * {@link Precisions} leave the layer as it is.
   *
   * @param products makes them for the weight
   * @return this
   */
  public LinearBuilder products(LinearProducts.Factory products) {
    own = Objects.requireNonNull(products, "products");
    return this;
  }

  /**
   * Makes the layer.
   *
   * @return a layer of the parameters, which are not copied
   * @throws IllegalArgumentException if the shapes do not go together, the precision does not
   *     compute weight gradients in the type, X is kept in int8 while the weight gradient has to
   *     round X itself, or more than one of weight gradient, gradients and products was told
   */
  public Linear build() {
    long ways =
        Stream.of(weightGradient, inputGradientPrecision, own).filter(Objects::nonNull).count();
    if (ways > 1) {
      throw new IllegalArgumentException(
          "the layer with weight "
              + weight
              + " was told in "
              + ways
              + " ways how to compute gradients (expected one of weightGradient, gradients and"
              + " products)");
    }
    return new Linear(weight, bias, precision, factory());
  }

  private LinearProducts.Factory factory() {
    if (own != null) {
      return own;
    }
    return inputGradientPrecision == null
        ? new Precision.Products(
            precision, weightGradient == null ? precision.weightGradient() : weightGradient)
        : new SwitchedProducts.Factory(precision, inputGradientPrecision, weightGradientPrecision);
  }
}
