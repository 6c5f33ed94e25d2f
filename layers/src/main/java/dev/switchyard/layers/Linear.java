package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * A linear layer, with the numbers of its products as {@link Precision} says:
 *
 * <pre>
 *   Y = X W^T + b
 *   dX = G W      dW = G^T X      db = column sums of G      G = dY
 * </pre>
 *
 * A precision that rounds operands has no number for one that is not finite: under {@link
 * dev.switchyard.kernels.data.NonFinitePolicy#REJECT}, which is what kernels begin with, X and W
 * are refused on the way forward and G on the way back, by a {@link
 * dev.switchyard.kernels.data.NonFiniteException} that names the layer. Float precisions pass it
 * on.
 *
 * <p>The weight is kept in the layouts of the first two products until it changes. {@link
 * Precisions} convert the layers of a whole model. For use by one thread at a time.
 */
public final class Linear implements Layer {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final Parameter weight;
  private final Parameter bias;
  private Computation computation;

  /** How a layer computes: the precision of its output, and all of its products. */
  record Computation(Precision precision, LinearProducts products) {}

  /**
   * A layer with a bias and random weights: uniform as proposed by Glorot and Bengio (2010); the
   * bias is zero.
   *
   * @param name prefix of the parameters' names
   * @param in features of the input
   * @param out features of the output
   * @param precision how the products are computed
   * @param random where the weights come from: a generator for it alone, such as the next of a
   *     {@link dev.switchyard.kernels.data.RandomStream}: one given to two layers gives them the
   *     same weights
   * @throws IllegalArgumentException if a number of features is less than 1
   */
  public Linear(String name, int in, int out, Precision precision, CounterRandom random) {
    this(
        new Parameter(
            name + WEIGHT, Initial.glorot(positive("out", out), positive("in", in), random), true),
        Parameter.vector(name + BIAS, new float[out]),
        precision);
  }

  /**
   * A layer with given parameters.
   *
   * @param weight [out, in]
   * @param bias out elements, or null for none
   * @param precision how the products are computed
   * @throws IllegalArgumentException if the shapes do not go together
   */
  public Linear(Parameter weight, Parameter bias, Precision precision) {
    this(weight, bias, precision, precision.weightGradient());
  }

  /**
   * A layer with given parameters whose weight gradient is computed in a given type.
   *
   * @param weight [out, in]
   * @param bias out elements, or null for none
   * @param precision how the products are computed
   * @param weightGradient to what the operands of the weight gradient are rounded; its sums are
   *     float32. SwitchBack and its relatives take FLOAT32 or BFLOAT16, the other precisions only
   *     their own type
   * @throws IllegalArgumentException if the shapes, or precision and type, do not go together
   */
  public Linear(Parameter weight, Parameter bias, Precision precision, ElementType weightGradient) {
    this(weight, bias, precision, products(weight, precision, weightGradient));
  }

  /**
   * A layer with given parameters, each of whose products is computed as another precision does it:
   * for experiments on which of them bears what.
   *
   * @param weight [out, in]
   * @param bias out elements, or null for none
   * @param output how Y is computed, and in which form X is kept
   * @param inputGradient how dX is computed
   * @param weightGradient how dW is computed; what is kept for it is for {@code output} to say, so
   *     that SWITCHBACK_M is the same here as SWITCHBACK
   * @throws IllegalArgumentException if the shapes do not go together, or X is kept in int8 while
   *     the weight gradient has to round X itself
   */
  public Linear(
      Parameter weight,
      Parameter bias,
      Precision output,
      Precision inputGradient,
      Precision weightGradient) {
    this(weight, bias, output, products(weight, output, inputGradient, weightGradient));
  }

  private static LinearProducts products(
      Parameter weight, Precision precision, ElementType weightGradient) {
    precision.requireWeightGradient(weightGradient);
    return precision.products(weight, weightGradient);
  }

  private static LinearProducts products(
      Parameter weight, Precision output, Precision inputGradient, Precision weightGradient) {
    if (output == Precision.SWITCHBACK_M && !weightGradient.takesInt8Input()) {
      throw new IllegalArgumentException(
          "precision "
              + output
              + " keeps the input in int8, from which "
              + weightGradient
              + " cannot compute the weight gradient (expected a precision that takes it)");
    }
    LinearProducts ofOutput = output.products(weight, output.weightGradient());
    return new SwitchedProducts(
        ofOutput,
        inputGradient.sharesWeight(output)
            ? ofOutput // one int8 weight for both
            : inputGradient.products(weight, inputGradient.weightGradient()),
        weightGradient.products(weight, weightGradient.weightGradient()));
  }

  private Linear(Parameter weight, Parameter bias, Precision precision, LinearProducts products) {
    FloatMatrix w = weight.value();
    if (bias != null && (bias.value().rows() != 1 || bias.value().cols() != w.rows())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "weight is %s but bias is %s (expected 1x%d)",
              w.shape(),
              bias.value().shape(),
              w.rows()));
    }
    this.weight = weight;
    this.bias = bias;
    this.computation = new Computation(precision, products);
  }

  private static int positive(String name, int features) {
    if (features < 1) {
      throw new IllegalArgumentException(name + " is " + features + " (expected 1 or more)");
    }
    return features;
  }

  // x [rows, in] -> y [rows, out]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (x.cols() != weight.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "weight %s is %dx%d but input has %d features (expected %d)",
              weight.name(),
              weight.rows(),
              weight.cols(),
              x.cols(),
              weight.cols()));
    }
    if (tape.isRecording() && (x.wantsGrad() || !weight.frozen())) {
      weight.requireValue(); // now, and not on the way back
    }
    Consumer<FloatMatrix> watcher = tape.watched(this, x.value());
    boolean keep = tape.isRecording() && !weight.frozen();
    Epilogue epilogue = Epilogue.bias(bias == null ? null : bias.value().data());
    FloatMatrix y = tape.result(x.rows(), weight.rows());
    LinearProducts same = computation.products(); // a conversion in between is for the next step
    Matrix ofX = same.output(tape, x.value(), epilogue, keep, y);
    Node node = tape.node(y).from(x).uses(parameters());
    if (ofX != null) {
      node.keeps(ofX);
    }
    return node.backward(
        (gy, kept) -> {
          if (watcher != null) {
            watcher.accept(gy);
          }
          backward(tape, same, x, kept, gy);
        });
  }

  // gy [rows, out] -> gx [rows, in], gw [out, in], gb [out]
  private void backward(Tape tape, LinearProducts same, Tensor x, Node.Kept kept, FloatMatrix gy) {
    if (bias != null && !bias.frozen()) {
      tape.kernels().elementwise().addColumnSums(gy, bias.grad().data());
    }
    if (kept.count() > 0) { // the weight learns
      same.weightGradient(tape, gy, kept.matrix(0), weight.grad());
    }
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      same.inputGradient(tape, gy, gx);
      tape.addGrad(x, gx);
    }
  }

  @Override
  public List<Parameter> parameters() {
    return bias == null ? List.of(weight) : List.of(weight, bias);
  }

  @Override
  public List<Linear> linears() {
    return List.of(this);
  }

  /**
   * How the products are computed.
   *
   * @return the precision, that of the output if they differ
   */
  public Precision precision() {
    return computation.precision();
  }

  /**
   * The name, by which {@link Precisions} choose.
   *
   * @return that of the weight without {@code .weight}
   */
  public String name() {
    return weight.name().endsWith(WEIGHT)
        ? weight.name().substring(0, weight.name().length() - WEIGHT.length())
        : weight.name();
  }

  /**
   * A layer for some of the outputs, with copies of their weights and biases, that computes as this
   * one does.
   *
   * @param newName replaces the last part of the parameters' names
   * @param from first output
   * @param to output after the last
   */
  Linear rowRange(String newName, int from, int to) {
    String prefix = name().substring(0, name().lastIndexOf('.') + 1) + newName;
    Parameter some = weight.copy(prefix + WEIGHT, weight.value().rowRange(from, to));
    Parameter someBiases =
        bias == null ? null : bias.copy(prefix + BIAS, bias.value().columnRange(from, to));
    ElementType type = computation.products().weightGradientType();
    if (type == null) {
      throw new IllegalArgumentException(
          name() + " computes each product in another precision (expected one for all of them)");
    }
    return new Linear(some, someBiases, computation.precision(), type);
  }

  // For conversions.

  Parameter weight() {
    return weight;
  }

  Computation computation() {
    return computation;
  }

  /** Whether all three products are those of a precision with this type of weight gradient. */
  boolean computesAllIn(Precision other, ElementType ofWeightGradient) {
    return computation.precision() == other
        && computation.products().weightGradientType() == ofWeightGradient;
  }

  /** Lets layers compute otherwise from the next forward pass on, all or after an error none. */
  static void compute(List<Linear> layers, List<Computation> computations) {
    Linear[] all = layers.toArray(Linear[]::new);
    Computation[] how = computations.toArray(Computation[]::new);
    for (int i = 0; i < all.length; i++) { // no call, which could be the one that fails
      all[i].computation = how[i];
    }
  }
}
