package dev.switchyard.mpi;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.FailingStep;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SmallTraining;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
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
    cases.put("gathered rows", new FailingStep(() -> new Gathering(layer())));
    cases.put("restoring an agreement", new WholeChange(RestoringAgreement::new));
    cases.put("restoring a sharded optimizer", new WholeChange(RestoringShards::new));
    cases.put("facts", new RepeatedCall(ExchangeFaultCases::facts));
    cases.put("what exchanges tell", new RepeatedCall(this::told));
    return cases;
  }

  private static Object facts() {
    try {
      Agreement.require(twins("seed\0" + "2\0"), Map.of("seed", "1"));
      return "the same";
    } catch (CollectiveException e) {
      return e.getMessage();
    }
  }

  /** The second of two processes; the first says something else, or the same if that is null. */
  private static Collective twins(String first) {
    return (Collective)
        Proxy.newProxyInstance(
            Collective.class.getClassLoader(),
            new Class<?>[] {Collective.class},
            (_, method, given) ->
                switch (method.getName()) {
                  case "rank" -> 1;
                  case "size" -> 2;
                  case "gather" -> {
                    byte[] mine = (byte[]) given[0];
                    yield List.of(
                        first == null ? mine : first.getBytes(StandardCharsets.UTF_8), mine);
                  }
                  default -> throw new AssertionError(method);
                });
  }

  private Object told() {
    List<Parameter> parameters = layer().parameters();
    Collective alone = new SingleProcess();
    DataParallel parallel =
        new DataParallel(alone, kernels, parameters, DataParallel.Settings.DEFAULT);
    long bytes = parallel.bytesPerStep();
    parallel.close();
    LocalSteps local = agreeing(parameters, Reduction.ORDERED);
    bytes += local.bytesPerAgreement();
    local.close();
    ShardedOptimizer sharded = sharded(parameters);
    sharded.setMonitor(null);
    return new Object[] {
      bytes,
      local.state().keySet().toString(),
      sharded.stateBytes(),
      sharded.algorithm(),
      sharded.skipped().toString(),
      sharded.state().size()
    };
  }

  private LocalSteps agreeing(List<Parameter> parameters, Reduction reduction) {
    return new LocalSteps(
        new SingleProcess(), kernels, parameters, reduction, 1, LocalSteps.Settings.every(1));
  }

  private ShardedOptimizer sharded(List<Parameter> parameters) {
    return new ShardedOptimizer(
        new SingleProcess(), kernels, parameters, own -> adamW(kernels, own));
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
          (_, parameters) -> sharded(parameters));
    }

    List<MomentState> moments() {
      return optimizer.state();
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
      local = agreeing(parameters, reduction);
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

  /** Rows of two processes, which have the same. */
  private final class Gathering extends SmallTraining {
    Gathering(Linear layer) {
      super(
          Tape.recording(kernels),
          layer.parameters(),
          tape -> {
            Tensor y = layer.forward(tape, Tensor.of(x));
            Tensor all = new GatheredRows(twins(null)).forward(tape, y);
            return new MeanSquaredError().forward(tape, all, FloatMatrix.allocate(8, 3));
          });
    }
  }

  private final class RestoringAgreement implements WholeChange.Subject {
    private final LocalSteps local = agreeing(layer().parameters(), Reduction.ORDERED);
    private final Map<String, FloatMatrix> saved = new LinkedHashMap<>();

    RestoringAgreement() {
      local.state().forEach((name, m) -> saved.put(name, Fixtures.gaussian(m.rows(), m.cols(), 3)));
    }

    @Override
    public void change() {
      local.restore(saved);
    }

    @Override
    public Object state() {
      return local.state().values().stream().map(FloatMatrix::toArray).toArray();
    }
  }

  private final class RestoringShards implements WholeChange.Subject {
    private final ShardedOptimizer optimizer = sharded(layer().parameters());
    private final List<MomentState> saved;

    RestoringShards() {
      Sharded other = new Sharded(layer());
      other.step();
      saved = other.moments();
    }

    @Override
    public void change() {
      optimizer.restore(saved);
    }

    @Override
    public Object state() {
      return optimizer.state().stream()
          .map(s -> new Object[] {s.name(), s.step(), s.m(), s.v()})
          .toArray();
    }
  }
}
