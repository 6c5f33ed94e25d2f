package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.CounterRandom;

/** How tokens are chosen. */
public enum RouterKind {
  /** By a learned score, weighed by {@link SoftTopK}. */
  SOFT_TOP_K {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return new LearnedRouter(
          name, features, options.reduction(), options.softTopK(), options.gate(), random);
    }
  },

  /** By a learned score, weighed by {@link SigmoidWeights}. */
  SIGMOID {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return new LearnedRouter(
          name, features, options.reduction(), new SigmoidWeights(), options.gate(), random);
    }
  },

  /** The first of each sequence. */
  FIRST {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return FixedRouter.first(options.reduction());
    }
  },

  /** At random. */
  RANDOM {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return FixedRouter.random(options.reduction(), random);
    }
  },

  /** All tokens: a dense layer with a parallel adapter. */
  ALL {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return FixedRouter.all();
    }
  },

  /** No token: the adapter alone. */
  NONE {
    @Override
    Router router(String name, int features, CodaOptions options, CounterRandom random) {
      return FixedRouter.none();
    }
  };

  abstract Router router(String name, int features, CodaOptions options, CounterRandom random);

  /** Whether some tokens may be chosen and others not. */
  boolean leavesSomeOut() {
    return this != ALL && this != NONE;
  }
}
