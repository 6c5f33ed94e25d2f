package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** PyTorch's AdamW over copies of parameters, of which some decay. */
public final class TorchAdamW {
  private final List<Tensor> weights;
  private final List<org.bytedeco.pytorch.AdamW> groups;

  /**
   * An optimizer before its first step.
   *
   * @param parameters copied, with their gradients as they are
   * @param threads how many it may use
   * @throws IllegalStateException if PyTorch does not load here
   */
  public TorchAdamW(List<Parameter> parameters, AdamW.Settings settings, int threads) {
    this(parameters, copies(parameters, threads), settings);
    for (int i = 0; i < weights.size(); i++) {
      // The gradient of a copy of the weight is the weight's own.
      try (PointerScope _ = new PointerScope()) {
        FloatMatrix gradient = parameters.get(i).grad();
        long[] shape = weights.get(i).sizes().vec().get();
        TorchLayers.backward(weights.get(i).clone(), Torch.copy(gradient.data(), shape));
      }
    }
  }

  /** An optimizer of weights that are copies of parameters, one by one. */
  TorchAdamW(List<Parameter> parameters, List<Tensor> weights, AdamW.Settings settings) {
    this.weights = weights;
    this.groups = new ArrayList<>();
    for (boolean decays : new boolean[] {true, false}) {
      // PyTorch refuses a step of nothing, and warns each time it is asked what a group has.
      if (parameters.stream().anyMatch(parameter -> parameter.decays() == decays)) {
        groups.add(group(parameters, decays, decays ? settings.decay() : 0, settings));
      }
    }
  }

  /** Copies that gradients can be computed of. */
  static List<Tensor> copies(List<Parameter> parameters, int threads) {
    Torch.limitThreads(threads);
    return parameters.stream().map(TorchAdamW::copy).toList();
  }

  private static Tensor copy(Parameter parameter) {
    float[] values = parameter.value().data();
    Tensor copy =
        parameter.rows() == 1
            ? Torch.copy(values, parameter.cols())
            : Torch.copy(values, parameter.rows(), parameter.cols());
    return copy.requires_grad_(true);
  }

  private org.bytedeco.pytorch.AdamW group(
      List<Parameter> parameters, boolean decays, double decay, AdamW.Settings settings) {
    TensorVector some = new TensorVector();
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).decays() == decays) {
        some.push_back(weights.get(i));
      }
    }
    AdamWOptions options = new AdamWOptions(1e-3);
    // C++ libraries differ in how they lay out a pair: the defaults, 0.9 and 0.999, tell.
    boolean swapped = options.betas().get(0) > options.betas().get(1);
    options.betas().put(swapped ? 1 : 0, settings.beta1());
    options.betas().put(swapped ? 0 : 1, settings.beta2());
    options.eps().put(settings.eps());
    options.weight_decay().put(decay);
    return new org.bytedeco.pytorch.AdamW(some, options);
  }

  /** Makes a step and keeps the gradients. */
  public void step(float rate) {
    for (org.bytedeco.pytorch.AdamW group : groups) {
      group.param_groups().get(0).options().set_lr(rate);
      group.step();
    }
  }

  /** Forgets the gradients. */
  void zeroGrad() {
    TorchLayers.forgetGradients(weights);
  }

  /** The values of a parameter, by its place in the list, row by row. */
  public float[] values(int parameter) {
    return Torch.read(weights.get(parameter));
  }
}
