package dev.switchyard.testkit;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/** Computes what a layer computes, beside its twin in float32 with the same weight. */
final class LayerTrial {
  private static final int WORST_ROWS = 3;

  /** Signal and error of one product, summed over calls. */
  private static final class Sums {
    private double signal;
    private double error;

    private void add(FloatMatrix exact, FloatMatrix quantized) {
      Difference difference = Difference.between(exact, quantized);
      signal += Difference.sum(difference.signal());
      error += Difference.sum(difference.error());
    }

    private OptionalDouble snr() {
      return signal + error == 0
          ? OptionalDouble.empty()
          : OptionalDouble.of(Difference.decibels(signal, error));
    }
  }

  private record Gradients(FloatMatrix input, FloatMatrix weight) {}

  private final Kernels kernels;
  private final Linear layer;
  private final Linear twin;
  private final Parameter weight;
  private final Sums output = new Sums();
  private final Sums inputGradient = new Sums();
  private final Sums weightGradient = new Sums();
  private final List<LayerAccuracy.Row> worstRows = new ArrayList<>();
  private int rows;
  private long elements;
  private long clipped;
  private long lost;
  private int zeroRows;

  LayerTrial(Kernels kernels, Linear layer) {
    this.kernels = kernels;
    this.layer = layer;
    List<Parameter> learned = layer.parameters(); // the weight, and the bias if there is one
    weight = learned.getFirst();
    twin = Linear.of(weight).bias(learned.size() > 1 ? learned.get(1) : null).build();
  }

  // x [rows, in]
  void forward(FloatMatrix x) {
    Tape tape = Tape.none(kernels);
    Difference difference =
        Difference.between(
            twin.forward(tape, Tensor.of(x)).value(), layer.forward(tape, Tensor.of(x)).value());
    output.add(difference.expected(), difference.actual());
    for (int row : difference.worstRows()) {
      worstRows.add(new LayerAccuracy.Row(rows + row, difference.snr(row)));
    }
    worstRows.sort(Comparator.comparingDouble(LayerAccuracy.Row::snr));
    worstRows.subList(Math.min(WORST_ROWS, worstRows.size()), worstRows.size()).clear();
    for (int i = 0; i < x.rows(); i++) {
      count(x, i);
    }
    rows += x.rows();
  }

  /** What becomes of a row in int8: q = round(x / scale), scale = largest / 127. */
  private void count(FloatMatrix x, int row) {
    double largest = 0;
    for (int j = 0; j < x.cols(); j++) {
      largest = Math.max(largest, Math.abs(x.get(row, j)));
    }
    zeroRows += largest == 0 ? 1 : 0;
    elements += x.cols();
    for (int j = 0; j < x.cols() && largest > 0; j++) {
      double size = Math.abs(x.get(row, j)) / largest * 127;
      clipped += size > 126.5 ? 1 : 0;
      lost += size > 0 && size <= 0.5 ? 1 : 0;
    }
  }

  // x [rows, in], gy [rows, out]
  void backward(FloatMatrix x, FloatMatrix gy) {
    List<Parameter> learned = layer.parameters();
    List<FloatMatrix> before =
        learned.stream().map(p -> p.frozen() ? null : p.grad().copy()).toList();
    Gradients exact = gradients(twin, x, gy);
    Gradients quantized = gradients(layer, x, gy);
    for (int i = 0; i < learned.size(); i++) {
      if (before.get(i) != null) {
        before.get(i).copyTo(learned.get(i).grad());
      }
    }
    inputGradient.add(exact.input(), quantized.input());
    if (exact.weight() != null) {
      weightGradient.add(exact.weight(), quantized.weight());
    }
  }

  private Gradients gradients(Linear either, FloatMatrix x, FloatMatrix gy) {
    either.parameters().forEach(Parameter::zeroGrad);
    Tape tape = Tape.recording(kernels);
    Tensor input = Tensor.withGrad(x);
    tape.backward(either.forward(tape, input), gy);
    return new Gradients(input.grad(), weight.frozen() ? null : weight.grad().copy());
  }

  LayerAccuracy result() {
    return new LayerAccuracy(
        layer.name(),
        layer.precision().name(),
        rows,
        output.snr().orElse(Double.POSITIVE_INFINITY),
        inputGradient.snr(),
        weightGradient.snr(),
        (double) clipped / Math.max(1, elements),
        (double) lost / Math.max(1, elements),
        zeroRows,
        List.copyOf(worstRows));
  }

  boolean ran() {
    return rows > 0;
  }
}
