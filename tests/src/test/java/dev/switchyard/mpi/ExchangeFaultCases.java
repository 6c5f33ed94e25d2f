package dev.switchyard.mpi;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.FailingStep;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.MeanSquaredError;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SmallTraining;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Optimizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What many processes do together, on one that is alone. */
public final class ExchangeFaultCases implements FaultCases {
  private final Kernels kernels;
  private final FloatMatrix x = Fixtures.gaussian(4, 4, 2);

  public ExchangeFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    Map<String, FaultCase> cases = new LinkedHashMap<>();
    for (Reduction reduction : Reduction.values()) {
      for (int shards : new int[] {1, 2}) {
        DataParallel.Settings settings = new DataParallel.Settings(reduction, shards, 8, 1);
        cases.put(
            reduction + " of " + shards, new FailingStep(() -> new Exchanging(layer(), settings)));
      }
      cases.put("agreeing by " + reduction, new WholeChange(() -> new Agreeing(reduction)));
    }
    cases.put("a sharded step", new FailingStep(() -> new Sharded(layer())));
    return cases;
  }

  private static Linear layer() {
    return new Linear("layer", 4, 3, Precision.FLOAT32, Fixtures.RANDOM);
  }

  private Tensor loss(Tape tape, Linear layer) {
    Tensor y = layer.forward(tape, Tensor.of(x));
    return new MeanSquaredError().forward(tape, y, FloatMatrix.allocate(4, 3));
  }

  private static Optimizer adamW(Kernels any, List<Parameter> parameters) {
    return new AdamW(any, parameters, AdamW.Settings.DEFAULT);
  }

  /** Gradients that travel. */
  private final class Exchanging extends SmallTraining {
    private final DataParallel.Settings settings;
    private DataParallel parallel;

    Exchanging(Linear layer, DataParallel.Settings settings) {
      super(Tape.recording(kernels), layer.parameters(), tape -> loss(tape, layer));
      this.settings = settings;
      this.parallel = join();
      tape.whenComplete(parameter -> parallel.complete(parameter));
    }

    private DataParallel join() {
      return new DataParallel(new SingleProcess(), kernels, parameters, settings);
    }

    @Override
    protected void goBack() {
      for (int shard = 0; shard < settings.shards(); shard++) {
        tape.reset();
        super.goBack();
        parallel.afterBackward();
      }
    }

    @Override
    public void restore() {
      super.restore();
      parallel = join();
    }
  }

  /** An optimizer whose parameters are dealt out. */
  private final class Sharded extends SmallTraining {
    Sharded(Linear layer) {
      super(
          Tape.recording(kernels),
          layer.parameters(),
          tape -> loss(tape, layer),
          (any, parameters) ->
              new ShardedOptimizer(new SingleProcess(), any, parameters, own -> adamW(any, own)));
    }

    /** Lets an error out that the other processes were told of. */
    @Override
    protected void update() {
      try {
        super.update();
      } catch (CollectiveException e) {
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        throw e;
      }
    }
  }

  /** Weights that all agree on. */
  private final class Agreeing implements WholeChange.Subject {
    private final List<Parameter> parameters =
        List.of(
            new Parameter("a", Fixtures.gaussian(2, 3, 1), true), Parameter.vector("b", 1, 2, 3));
    private final LocalSteps local;

    Agreeing(Reduction reduction) {
      local =
          new LocalSteps(
              new SingleProcess(), kernels, parameters, reduction, 1, LocalSteps.Settings.every(1));
      parameters.forEach(p -> p.value().set(0, 1, 4));
      parameters.forEach(Parameter::markChanged);
    }

    @Override
    public void change() {
      local.afterStep();
    }

    @Override
    public Object state() {
      return new Object[] {
        local.state().values().stream().map(FloatMatrix::toArray).toArray(),
        parameters.stream().map(p -> p.value().toArray()).toArray()
      };
    }
  }
}
