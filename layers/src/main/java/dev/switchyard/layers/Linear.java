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
  record Computation(Precision precision, LinearProducts.Factory how, LinearProducts products) {}

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
        precision,
        new Precision.Products(precision, precision.weightGradient()));
  }

  Linear(Parameter weight, Parameter bias, Precision precision, LinearProducts.Factory products) {
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
    this.computation = new Computation(precision, products, products.of(weight));
  }

  /**
   * A layer with given parameters, to be told the rest.
   *
   * @param weight [out, in], not copied
   * @return what makes the layer
   */
  public static LinearBuilder of(Parameter weight) {
    return new LinearBuilder(weight);
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
   * @return the precision: that of the output if they differ, and for products of one's own the one
   *     that the builder was told
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
   * Makes a layer for some of the outputs, with copies of their weights and biases, that computes
   * as this one does.
   *
   * @param newName replaces the last part of the parameters' names
   * @param from first output
   * @param to output after the last
   * @return the layer
   */
  public Linear rowRange(String newName, int from, int to) {
    String prefix = name().substring(0, name().lastIndexOf('.') + 1) + newName;
    Parameter some = weight.copy(prefix + WEIGHT, weight.value().rowRange(from, to));
    Parameter someBiases =
        bias == null ? null : bias.copy(prefix + BIAS, bias.value().columnRange(from, to));
    return new Linear(some, someBiases, computation.precision(), computation.how());
  }

  /**
   * The weight.
   *
   * @return [out, in]
   */
  public Parameter weight() {
    return weight;
  }

  // For conversions.

  Computation computation() {
    return computation;
  }

  /** As it would be in another precision. */
  Computation computation(Precision other, ElementType ofWeightGradient) {
    LinearProducts.Factory how = new Precision.Products(other, ofWeightGradient);
    return new Computation(other, how, how.of(weight));
  }

  /** Whether all three products are those of a precision with this type of weight gradient. */
  boolean computesAllIn(Precision other, ElementType ofWeightGradient) {
    return computation.how().equals(new Precision.Products(other, ofWeightGradient));
  }

  /** Whether the products are none of the library's. */
  boolean computesInAWayOfItsOwn() {
    return !(computation.how() instanceof Precision.Products
        || computation.how() instanceof SwitchedProducts.Factory);
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
