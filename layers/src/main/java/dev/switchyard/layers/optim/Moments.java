package dev.switchyard.layers.optim;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What optimizers with moments have in common: all but the formula of the update. */
final class Moments {
  /** One parameter, its group's numbers, and its moments. */
  static final class Slot {
    final Parameter parameter;
    final float rateFactor;
    final float decay;
    private final boolean hasSecond;
    float[] m = {};
    float[] v = {};
    int step;

    Slot(Parameter parameter, ParameterGroup group, boolean hasSecond) {
      this.hasSecond = hasSecond;
      this.parameter = parameter;
      this.rateFactor = group.rateFactor();
      this.decay = group.decay();
    }

    /** Whatever an update needs is there, or it is refused before any has begun. */
    void prepare() {
      if (step == Integer.MAX_VALUE) {
        throw new IllegalStateException(
            parameter
                + " has made "
                + step
                + " steps (expected fewer: a run is resumed with the moments of a checkpoint, or"
                + " with none)");
      }
      int size = w().length;
      if (step == 0) {
        m = new float[size];
        v = new float[hasSecond ? size : 0];
      }
    }

    /** Where there is no second moment, zeros stand for it. */
    MomentState state() {
      return new MomentState(
          parameter.name(), step, m.clone(), hasSecond ? v.clone() : new float[m.length]);
    }

    void restore(MomentState state) {
      step = state.step();
      m = state.m();
      v = hasSecond ? state.v() : NONE.v();
    }

    float[] w() {
      return parameter.value().data();
    }

    float[] g() {
      return parameter.grad().data();
    }
  }

  /** The formula of one parameter's update, at step {@code slot.step}. */
  interface Update {
    void apply(Slot slot, float rate);
  }

  private static final MomentState NONE = new MomentState("", 0, new float[0], new float[0]);

  private final Kernels kernels;
  private final Map<String, Slot> slots;
  private final List<Parameter> parameters;
  private final Map<String, Long> skipped = new TreeMap<>();
  private StabilityMonitor monitor;
  private boolean halfway; // in a step or restore, or out of one that failed

  Moments(Kernels kernels, List<ParameterGroup> groups) {
    this(kernels, groups, true);
  }

  /** Of optimizers that have a second moment, or none. */
  Moments(Kernels kernels, List<ParameterGroup> groups, boolean haveSecond) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.slots = new java.util.LinkedHashMap<>();
    for (ParameterGroup group : groups) {
      for (Parameter parameter : group.parameters()) {
        Slot old = slots.put(parameter.name(), new Slot(parameter, group, haveSecond));
        if (old != null) {
          throw new IllegalArgumentException(
              "parameter "
                  + parameter
                  + " is listed twice (expected once: names are unique in a model)");
        }
      }
    }
    parameters = slots.values().stream().map(slot -> slot.parameter).toList();
  }

  StabilityMonitor monitor() {
    return monitor;
  }

  void setMonitor(StabilityMonitor newMonitor) {
    monitor = newMonitor;
  }

  void step(float learningRate, Update update) {
    requireWhole();
    Requirement.notNegative("learning rate", learningRate);
    if (kernels.nonFinite() == NonFinitePolicy.REJECT) {
      FiniteGradients.require(kernels, parameters);
    }
    for (Slot slot : slots.values()) {
      if (!slot.parameter.frozen()) { // who stays frozen needs no moments
        slot.prepare();
      }
    }
    halfway = true;
    for (Slot slot : slots.values()) {
      if (slot.parameter.frozen()) {
        continue;
      }
      if (kernels.nonFinite() == NonFinitePolicy.PROPAGATE
          && !FiniteGradients.isFinite(kernels, slot.parameter)) {
        skipped.merge(slot.parameter.name(), 1L, Long::sum);
        continue;
      }
      slot.step++;
      slot.parameter.markChanged(); // first, as an update that fails has changed some of it
      update.apply(slot, learningRate * slot.rateFactor);
    }
    if (monitor != null) {
      monitor.endStep();
    }
    halfway = false;
  }

  private void requireWhole() {
    if (halfway) {
      throw new IllegalStateException(
          "a step or restore of this optimizer has failed half-way: some parameters and moments are"
              + " of after it, others of before (expected restore, with the weights of a"
              + " checkpoint)");
    }
  }

  void zeroGrad() {
    slots.values().forEach(slot -> slot.parameter.zeroGrad());
  }

  Map<String, Long> skipped() {
    return Map.copyOf(skipped);
  }

  List<MomentState> state() {
    requireWhole();
    return slots.values().stream().filter(slot -> slot.step > 0).map(Slot::state).toList();
  }

  void restore(List<MomentState> states) {
    Map<String, MomentState> byName = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    for (MomentState state : states) {
      Slot slot = slots.get(state.name());
      if (slot == null) {
        wrong.add("no parameter " + state.name());
      } else {
        addWrong(wrong, slot.parameter, state);
      }
      if (byName.put(state.name(), state) != null) {
        wrong.add(state.name() + " twice");
      }
    }
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "the state does not fit the optimizer: " + String.join("; ", wrong));
    }
    byName.replaceAll((name, s) -> new MomentState(name, s.step(), s.m().clone(), s.v().clone()));
    halfway = true;
    for (Slot slot : slots.values()) {
      slot.restore(byName.getOrDefault(slot.parameter.name(), NONE));
    }
    halfway = false;
  }

  private static void addWrong(List<String> wrong, Parameter parameter, MomentState state) {
    long elements = (long) parameter.rows() * parameter.cols();
    if (state.m().length != elements || state.v().length != elements) {
      wrong.add(
          String.format(
              Locale.ROOT,
              "%d and %d moments for %s",
              state.m().length,
              state.v().length,
              parameter));
      return;
    }
    if (state.step() < 1) {
      wrong.add("step " + state.step() + " of " + state.name());
    }
    for (int i = 0; i < elements; i++) {
      float m = state.m()[i];
      float v = state.v()[i];
      if (!(Float.isFinite(m) && v >= 0 && v < Float.POSITIVE_INFINITY)) {
        wrong.add(
            String.format(
                Locale.ROOT,
                "moments %s and %s of element %d of %s (expected a finite number, and one of 0 or"
                    + " more)",
                m,
                v,
                i,
                state.name()));
        return;
      }
    }
  }
}
