package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Changes of precision of whole models. Parameters stay the same objects with the same values. */
public final class Precisions {
  private Precisions() {}

  /**
   * Makes the linear layers of a model compute in another precision, from the next forward pass on.
   * Optimizers and checkpoints know nothing of it, since they deal with parameters alone. All
   * layers are converted, or after an exception or error none.
   *
   * @param model any layer or model
   * @param policy which layers, and to what
   * @return what was converted and what was left, which patterns of the policy fit no layer, and
   *     the way back
   */
  public static Conversion convert(Model model, PrecisionPolicy policy) {
    List<Conversion.Change> changes = new ArrayList<>();
    List<Conversion.Left> left = new ArrayList<>();
    Set<Linear> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Linear layer : model.linears()) {
      String reason = seen.add(layer) ? policy.reasonAgainst(layer) : "is listed above";
      if (reason.isEmpty()) {
        changes.add(
            new Conversion.Change(
                layer,
                layer.computation(),
                layer.computation(policy.precision(), policy.weightGradient())));
      } else {
        left.add(
            new Conversion.Left(
                layer.name(),
                layer.weight().rows(),
                layer.weight().cols(),
                layer.precision(),
                reason));
      }
    }
    Conversion conversion = new Conversion(changes, left, policy.idle(model.linears()));
    conversion.apply();
    return conversion;
  }

  /**
   * Lets go of the float weights of all linear layers that compute their output in int8, and keeps
   * their int8 panels alone: for inference in a quarter of the memory, with the very same results.
   * (Without VNNI, as on AVX2 alone, panels hold 16-bit integers and take half. On the {@code
   * vector} and {@code reference} backends they hold floats and take as much as the weight did.)
   * All panels are made before the first weight goes, so that after an exception or error every
   * weight is there.
   *
   * <p>Whatever needs the weights then, such as training, another precision, another backend or a
   * checkpoint, is refused with an {@link IllegalStateException}, until they are assigned again
   * ({@link Parameter#assign}, {@code Weights.load}).
   *
   * @param model any layer or model
   * @param kernels what will compute
   * @return what was released
   */
  public static Release release(Model model, Kernels kernels) {
    Map<Parameter, Integer> uses = new HashMap<>();
    model.linears().forEach(layer -> uses.merge(layer.weight(), 1, Integer::sum));
    List<String> released = new ArrayList<>();
    List<String> kept = new ArrayList<>();
    List<Parameter> weights = new ArrayList<>();
    long before = 0;
    long after = 0;
    for (Linear layer : model.linears()) {
      Parameter weight = layer.weight();
      if (weight.released()) {
        kept.add(layer.name() + ": released before");
      } else if (weight.pinned() || uses.get(weight) > 1) {
        kept.add(layer.name() + ": its weight is used elsewhere too");
      } else {
        long bytes = layer.computation().products().keepForInference(kernels);
        if (bytes == 0) {
          kept.add(layer.name() + ": " + layer.precision() + " has no smaller form");
        } else {
          before += (long) Float.BYTES * weight.rows() * weight.cols();
          after += bytes;
          weights.add(weight);
          released.add(layer.name());
        }
      }
    }
    Release release = new Release(released, kept, before, after);
    Parameter.release(weights);
    return release;
  }
}
