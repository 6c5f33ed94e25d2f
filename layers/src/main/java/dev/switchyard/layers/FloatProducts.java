package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.layers.Profile.Part;

/** The products of a linear layer in float32 or bfloat16. */
final class FloatProducts implements LinearProducts {
  private final ElementType type;
  private final Parameter weight;
  private final PackedWeight forward = new PackedWeight();
  private final PackedWeight backward = new PackedWeight();

  FloatProducts(ElementType type, Parameter weight) {
    this.type = type;
    this.weight = weight;
  }

  @Override
  public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
    tape.timed(
        Part.MULTIPLY,
        () -> tape.kernels().multiply(x, packed(tape.kernels(), Form.NT, forward), bias, y));
    return keep ? x : null;
  }

  @Override
  public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
    tape.timed(
        Part.MULTIPLY,
        () ->
            tape.kernels()
                .multiply(g, packed(tape.kernels(), Form.NN, backward), Epilogue.STORE, gx));
  }

  @Override
  public void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw) {
    tape.timed(
        Part.WEIGHT_GRADIENT,
        () -> tape.kernels().multiply(type, Form.TN, g, kept, Epilogue.ACCUMULATE, gw));
  }

  private PackedMatrix packed(Kernels kernels, Form form, PackedWeight cached) {
    if (cached.isStale(weight, kernels)) {
      kernels.pack(type, form, weight.value(), cached.toFill());
      cached.markPacked(weight, kernels);
    }
    return cached.panels();
  }
}
