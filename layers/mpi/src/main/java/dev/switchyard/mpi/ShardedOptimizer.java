package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.FiniteGradients;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StabilityMonitor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * An optimizer whose state is spread over all processes (ZeRO, Rajbhandari et al. 2020, stage 1):
 * each keeps the moments of its own parameters, updates these, and sends them to the others. Whole
 * parameters belong to a process, dealt out by size, so that what an optimizer computes of a whole
 * tensor, such as the RMS of StableAdamW, is as in one process, bit for bit.
 *
 * <p>Gradients have to be the same on all processes, as {@link DataParallel} leaves them. All
 * processes call every method but {@link #zeroGrad} and {@link #setMonitor}.
 */
public final class ShardedOptimizer implements Optimizer {
  private final Collective collective;
  private final Kernels kernels;
  private final List<Parameter> parameters;
  private final List<List<Parameter>> owned; // by rank
  private final Optimizer own;
  private final MemorySegment values;
  private final StepEnd stepEnd;
  private String torn; // why parameters differ between processes; null while they do not

  /**
   * Deals out parameters.
   *
   * @param collective the processes
   * @param kernels what computes, and says what to do about gradients that are not finite
   * @param parameters of the model, in the same order everywhere
   * @param create makes an optimizer over the parameters of this process
   * @throws CollectiveException on every process, if one has other parameters than the first
   */
  public ShardedOptimizer(
      Collective collective,
      Kernels kernels,
      List<Parameter> parameters,
      Function<List<Parameter>, Optimizer> create) {
    this.collective = collective;
    this.kernels = kernels;
    this.parameters = List.copyOf(parameters);
    Agreement.require(collective, Agreement.facts(this.parameters));
    this.owned = dealOut(parameters, collective.size());
    this.own = create.apply(owned.get(collective.rank()));
    long most = owned.stream().mapToLong(ShardedOptimizer::elements).max().orElse(0);
    this.stepEnd = new StepEnd(collective);
    this.values = Arena.ofAuto().allocate(Float.BYTES * most, Float.BYTES);
  }

  /** The largest first, each to the process that has least. */
  static List<List<Parameter>> dealOut(List<Parameter> parameters, int processes) {
    List<List<Parameter>> owned = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      owned.add(new ArrayList<>());
    }
    parameters.stream()
        .filter(parameter -> !parameter.frozen())
        .sorted(Comparator.comparingLong((Parameter p) -> (long) p.rows() * p.cols()).reversed())
        .forEach(
            parameter ->
                owned.stream()
                    .min(Comparator.comparingLong(ShardedOptimizer::elements))
                    .orElseThrow()
                    .add(parameter));
    return owned;
  }

  private static long elements(List<Parameter> parameters) {
    return parameters.stream().mapToLong(p -> (long) p.rows() * p.cols()).sum();
  }

  /**
   * The memory of moments on this process.
   *
   * @return the bytes, once each of its parameters was updated
   */
  public long stateBytes() {
    return 2L * Float.BYTES * elements(owned.get(collective.rank()));
  }

  @Override
  public String algorithm() {
    return own.algorithm();
  }

  /**
   * Updates all parameters.
   *
   * @throws CollectiveException if the step has failed on a process, which is named, or an earlier
   *     one has failed: parameters then are not the same everywhere, and nothing steps before
   *     {@link #restore}
   */
  @Override
  public void step(float learningRate) {
    if (!(learningRate >= 0 && Float.isFinite(learningRate))) {
      throw new IllegalArgumentException(
          "learning rate is " + learningRate + " (expected a finite number, 0 or more)");
    }
    boolean whole = torn == null;
    Throwable failure = whole ? check() : notWhole(null);
    torn = whole ? "it has not come to its end" : torn;
    failure = failure == null ? ownStep(learningRate) : failure;
    stepEnd.tell(failure == null ? StepEnd.Word.MADE : StepEnd.Word.failed(failure));
    StepEnd.Outcome outcome = stepEnd.hear();
    if (!outcome.made()) {
      torn = whole ? outcome.failures() : torn; // what comes later fails because of that
      throw notWhole(failure);
    }
    for (int rank = 0; rank < collective.size(); rank++) {
      share(rank);
    }
    torn = null;
  }

  /** Stops before anything changes, as all processes do, whoever owns the parameter. */
  private Throwable check() {
    try {
      if (kernels.nonFinite() == NonFinitePolicy.REJECT) {
        FiniteGradients.require(kernels, parameters);
      }
      return null;
    } catch (NonFiniteException e) {
      throw e;
    } catch (Throwable e) {
      return e; // of this process alone
    }
  }

  /** Updates the parameters of this process; gives what it threw. */
  private Throwable ownStep(float learningRate) {
    try {
      own.step(learningRate);
      return null;
    } catch (Throwable e) {
      return e;
    }
  }

  private void share(int root) {
    boolean mine = root == collective.rank();
    long at = 0;
    for (Parameter parameter : mine ? owned.get(root) : List.<Parameter>of()) {
      float[] value = parameter.value().data();
      MemorySegment.copy(value, 0, values, ValueLayout.JAVA_FLOAT, at, value.length);
      at += (long) Float.BYTES * value.length;
    }
    collective.broadcast(root, values.asSlice(0, Float.BYTES * elements(owned.get(root))));
    at = 0;
    for (Parameter parameter : mine ? List.<Parameter>of() : owned.get(root)) {
      float[] value = parameter.value().data();
      MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, at, value, 0, value.length);
      parameter.markChanged();
      at += (long) Float.BYTES * value.length;
    }
  }

  @Override
  public void zeroGrad() {
    parameters.forEach(Parameter::zeroGrad);
  }

  /** Of all processes. */
  @Override
  public Map<String, Long> skipped() {
    Map<String, Long> mine = own.skipped();
    double[] counts = sums(name -> mine.getOrDefault(name, 0L));
    Map<String, Long> all = new TreeMap<>();
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        all.put(parameters.get(i).name(), (long) counts[i]);
      }
    }
    return all;
  }

  /**
   * Of all processes, in the order of parameters: what a single process would have. Each process
   * receives it, and has memory for all of it as long as it is kept.
   */
  @Override
  public List<MomentState> state() {
    requireWhole();
    Map<String, MomentState> mine = new HashMap<>();
    own.state().forEach(state -> mine.put(state.name(), state));
    double[] steps = sums(name -> mine.containsKey(name) ? mine.get(name).step() : 0L);
    List<MomentState> all = new ArrayList<>();
    for (int i = 0; i < steps.length; i++) {
      if (steps[i] > 0) {
        all.add(received(parameters.get(i), (int) steps[i], mine));
      }
    }
    return all;
  }

  /** One parameter's state, from the process that has it: an array at a time, of any size. */
  private MomentState received(Parameter parameter, int step, Map<String, MomentState> mine) {
    int length = parameter.rows() * parameter.cols();
    MomentState state = mine.get(parameter.name());
    if (state == null) {
      state = new MomentState(parameter.name(), step, new float[length], new float[length]);
    }
    int root = 0;
    while (!owned.get(root).contains(parameter)) {
      root++;
    }
    collective.broadcast(root, MemorySegment.ofArray(state.m()));
    collective.broadcast(root, MemorySegment.ofArray(state.v()));
    return state;
  }

  /** Numbers by the name of a parameter, which only its owner knows to be more than 0. */
  private double[] sums(ToLongFunction<String> known) {
    double[] sums = parameters.stream().mapToDouble(p -> known.applyAsLong(p.name())).toArray();
    collective.sum(sums);
    return sums;
  }

  private void requireWhole() {
    if (torn != null) {
      throw notWhole(null);
    }
  }

  private CollectiveException notWhole(Throwable cause) {
    return new CollectiveException(
        "a step of the optimizer has failed, after which parameters differ between processes"
            + " (expected parameters and optimizer to be restored from a checkpoint): "
            + torn,
        cause);
  }

  /** From the state of all processes, of however many there were. */
  @Override
  public void restore(List<MomentState> states) {
    List<String> mine = owned.get(collective.rank()).stream().map(Parameter::name).toList();
    List<String> known = parameters.stream().map(Parameter::name).toList();
    for (MomentState state : states) {
      if (!known.contains(state.name())) {
        throw new IllegalArgumentException(
            "the state does not fit the optimizer: no parameter " + state.name());
      }
    }
    own.restore(states.stream().filter(state -> mine.contains(state.name())).toList());
    torn = null;
  }

  /** Watches the updates of this process's parameters. */
  @Override
  public void setMonitor(StabilityMonitor monitor) {
    own.setMonitor(monitor);
  }
}
