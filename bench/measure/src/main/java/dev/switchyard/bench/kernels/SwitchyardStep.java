package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.LinearOperands;
import dev.switchyard.bench.peers.LinearStep;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;

/**
 * A training step of {@link Linear} as a user's loop has it. The gradients, to which the layer
 * adds, are zeroed within the step, and the weight is quantized or packed anew, as after a step of
 * an optimizer. SwitchBack computes the weight gradient in bfloat16, as the paper does.
 */
final class SwitchyardStep implements LinearStep {
  private final LinearOperands operands;
  private final Parameter weight;
  private final Parameter bias;
  private final Linear layer;
  private final Tape tape;
  private Tensor x;
  private Tensor y;

  SwitchyardStep(Kernels kernels, Precision precision, LinearOperands operands, Profile profile) {
    this.operands = operands;
    weight = new Parameter("weight", operands.w(), true);
    bias = Parameter.vector("bias", operands.bias());
    ElementType weightGradient =
        precision == Precision.FLOAT32 ? ElementType.FLOAT32 : ElementType.BFLOAT16;
    layer =
        Linear.of(weight).bias(bias).precision(precision).weightGradient(weightGradient).build();
    tape = Tape.recording(kernels, profile);
  }

  @Override
  public void run() {
    tape.reset();
    weight.markChanged();
    weight.zeroGrad();
    bias.zeroGrad();
    x = Tensor.withGrad(operands.x());
    y = layer.forward(tape, x);
    tape.backward(y, operands.g());
  }

  @Override
  public Result result() {
    return new Result(
        y.value().copy().data(),
        x.grad().copy().data(),
        weight.grad().copy().data(),
        bias.grad().copy().data());
  }
}
