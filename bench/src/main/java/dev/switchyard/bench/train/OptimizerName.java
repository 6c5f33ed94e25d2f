package dev.switchyard.bench.train;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.List;

/** The optimizers to choose from, with settings for small transformers. */
public enum OptimizerName {
  /** AdamW with the second moment of the paper's int8 runs, 0.98. */
  ADAMW {
    @Override
    Optimizer create(Kernels kernels, List<Parameter> parameters) {
      return new AdamW(kernels, parameters, ADAMW_SETTINGS);
    }
  },

  /** StableAdamW with the second moment and the eps of its authors, 0.99 and 1e-6. */
  STABLEADAMW {
    @Override
    Optimizer create(Kernels kernels, List<Parameter> parameters) {
      return new StableAdamW(
          kernels, parameters, new StableAdamW.Settings(0.9f, 0.99f, 1e-6f, DECAY, 1, true));
    }
  };

  private static final float DECAY = 0.05f;

  static final AdamW.Settings ADAMW_SETTINGS = new AdamW.Settings(0.9f, 0.98f, 1e-8f, DECAY);

  abstract Optimizer create(Kernels kernels, List<Parameter> parameters);
}
