package dev.switchyard.layers;

import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;

/** Each of the three products as another precision computes it. */
record SwitchedProducts(
    LinearProducts ofOutput, LinearProducts ofInputGradient, LinearProducts ofWeightGradient)
    implements LinearProducts {
  /** Makes them, with one int8 weight for two products where it is the same. */
  record Factory(Precision output, Precision inputGradient, Precision weightGradient)
      implements LinearProducts.Factory {
    Factory {
      if (output == Precision.SWITCHBACK_M && !weightGradient.takesInt8Input()) {
        throw new IllegalArgumentException(
            "precision "
                + output
                + " keeps the input in int8, from which "
                + weightGradient
                + " cannot compute the weight gradient (expected a precision that takes it)");
      }
    }

    @Override
    public LinearProducts of(Parameter weight) {
      LinearProducts ofOutput = output.products(weight);
      return new SwitchedProducts(
          ofOutput,
          inputGradient.sharesWeight(output) ? ofOutput : inputGradient.products(weight),
          weightGradient.products(weight));
    }
  }

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
}
