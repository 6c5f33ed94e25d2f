package dev.switchyard.layers.optim;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.Outcomes;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Optimizers beside their steps, and what watches them. */
public final class OptimizerFaultCases implements FaultCases {
  private static final LossSpikes.Settings SPIKES = new LossSpikes.Settings(2, 4, 3, 2);

  private final Kernels kernels;
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  public OptimizerFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    for (boolean stable : new boolean[] {false, true}) {
      String name = stable ? "StableAdamW" : "AdamW";
      Optimizer saved = stepped(stable, 2);
      cases.put("restoring " + name, new WholeChange(() -> new Restoring(stable, saved.state())));
      cases.put(
          "reading " + name,
          new RepeatedCall(
              () -> {
                optimizer(stable, List.of(Parameter.vector("p", 1)));
                saved.setMonitor(null);
                saved.zeroGrad();
                return new Object[] {
                  saved.algorithm(), saved.skipped().toString(), numbers(saved.state())
                };
              }));
    }
    cases.put(
        "an SGD that is read and restored",
        new RepeatedCall(
            () -> {
              List<Parameter> parameters = List.of(Parameter.vector("p", 1, 2));
              Sgd sgd =
                  Sgd.ofGroups(
                      kernels, ParameterGroup.byDecay(parameters, 0.1f), Sgd.Settings.DEFAULT);
              sgd.setMonitor(null);
              sgd.zeroGrad();
              sgd.restore(List.of(new MomentState("p", 3, new float[] {1, 2}, new float[] {0, 0})));
              return new Object[] {sgd.algorithm(), sgd.skipped().toString(), numbers(sgd.state())};
            }));
    for (int seen = 0; seen < 7; seen++) {
      cases.put("a loss after " + seen, new Loss(seen));
    }
    cases.put(
        "a monitor",
        new RepeatedCall(
            () -> {
              StringBuilder out = new StringBuilder();
              StabilityMonitor monitor =
                  new StabilityMonitor(new MeasurementLines(out), out::append, SPIKES);
              monitor.loss(3);
              monitor.features("block", Fixtures.gaussian(2, 2, 1));
              return out.toString();
            }));
    return cases;
  }

  private Optimizer optimizer(boolean stable, List<Parameter> parameters) {
    List<ParameterGroup> groups = ParameterGroup.byDecay(parameters, 0.1f);
    return stable
        ? StableAdamW.ofGroups(kernels, groups, StableAdamW.Settings.DEFAULT)
        : AdamW.ofGroups(kernels, groups, AdamW.Settings.DEFAULT);
  }

  private Optimizer stepped(boolean stable, int steps) {
    List<Parameter> parameters =
        List.of(
            new Parameter("a", Fixtures.gaussian(2, 3, 1), true), Parameter.vector("b", 1, 2, 3));
    Optimizer optimizer = optimizer(stable, parameters);
    for (int step = 0; step < steps; step++) {
      FloatMatrix gradient = Fixtures.gaussian(2, 3, 2 + step);
      parameters.forEach(p -> gradient.rowRange(0, p.rows()).copyTo(p.grad()));
      optimizer.step(0.1f);
    }
    return optimizer;
  }

  private static Object numbers(List<MomentState> states) {
    return states.stream().map(s -> new Object[] {s.name(), s.step(), s.m(), s.v()}).toArray();
  }

  private final class Restoring implements WholeChange.Subject {
    private final Optimizer optimizer;
    private final List<MomentState> states;

    Restoring(boolean stable, List<MomentState> states) {
      this.optimizer = stepped(stable, 1);
      this.states = states;
    }

    @Override
    public void change() {
      optimizer.restore(states);
    }

    @Override
    public Object state() {
      return numbers(optimizer.state());
    }
  }

  /** A loss that is taken as a whole or not at all, as is seen in what follows. */
  private record Loss(int seen) implements FaultCase {
    private LossSpikes spikes() {
      LossSpikes spikes = new LossSpikes(SPIKES);
      IntStream.range(0, seen).forEach(i -> spikes.add(i % 3 == 2 ? 20 + i : i % 2));
      return spikes;
    }

    private static Object future(LossSpikes spikes) {
      return IntStream.range(0, 12)
          .mapToObj(i -> spikes.add(i % 4 == 1 ? 90 + i : i % 3) + " " + spikes.eventStart())
          .toArray();
    }

    @Override
    public Run begin() {
      LossSpikes spikes = spikes();
      return new Run() {
        @Override
        public void operate() {
          spikes.add(40);
        }

        @Override
        public String check(boolean failed) {
          LossSpikes whole = spikes();
          whole.add(40);
          Object left = future(spikes);
          boolean isWhole = Outcomes.same(left, future(whole));
          return isWhole || (failed && Outcomes.same(left, future(spikes())))
              ? null
              : "a part of the loss was taken";
        }
      };
    }
  }
}
