package dev.switchyard.layers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;

/** Each of the three products as another precision computes it. */
record SwitchedProducts(
    LinearProducts ofOutput, LinearProducts ofInputGradient, LinearProducts ofWeightGradient)
    implements LinearProducts {
  @Override
  public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
    return ofOutput.output(tape, x, bias, keep, y);
  }

  @Override
  public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
    ofInputGradient.inputGradient(tape, g, gx);
  }

  @Override
  public void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw) {
    ofWeightGradient.weightGradient(tape, g, kept, gw);
  }

  @Override
  public ElementType weightGradientType() {
    return null;
  }
}
