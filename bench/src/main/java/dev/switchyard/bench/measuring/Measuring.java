package dev.switchyard.bench.measuring;

import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;

/** The module that measures: its commands, and what others ask of the libraries it brings. */
public interface Measuring {
  /** It, if it is on the class path. */
  static Optional<Measuring> find() {
    return ServiceLoader.load(Measuring.class, Measuring.class.getClassLoader()).findFirst();
  }

  /** Its commands by name, anew each time. */
  Map<String, Callable<Integer>> commands();

  /** The libraries that this machine can be compared with, and why others cannot be used. */
  Map<String, String> peers();

  /**
   * Loads PyTorch, which takes some seconds the first time.
   *
   * @throws IllegalStateException if it does not load here
   */
  void requirePyTorch();

  /**
   * A model in PyTorch before its first step.
   *
   * @param shape its numbers
   * @param parameters those of a {@code VisionTransformer} with a head for scores, copied
   * @param settings of AdamW
   * @param autocast whether products are computed in bfloat16
   * @param threads how many it may use
   * @throws IllegalStateException if PyTorch does not load here
   */
  PeerTransformer pyTorch(
      PeerTransformer.Shape shape,
      List<Parameter> parameters,
      AdamW.Settings settings,
      boolean autocast,
      int threads);
}
