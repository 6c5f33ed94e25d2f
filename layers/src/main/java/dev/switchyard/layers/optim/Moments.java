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

/** What optimizers with two moments have in common: all but the formula of the update. */
final class Moments {
  /** One parameter, its group's numbers, and its moments. */
  static final class Slot {
    final Parameter parameter;
    final float rateFactor;
    final float decay;
    float[] m = {};
    float[] v = {};
    int step;

    Slot(Parameter parameter, ParameterGroup group) {
      this.parameter = parameter;
      this.rateFactor = group.rateFactor();
      this.decay = group.decay();
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

  private final Kernels kernels;
  private final Map<String, Slot> slots;
  private final Map<String, Long> skipped = new TreeMap<>();
  private StabilityMonitor monitor;

  Moments(Kernels kernels, List<ParameterGroup> groups) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.slots = new java.util.LinkedHashMap<>();
    for (ParameterGroup group : groups) {
      for (Parameter parameter : group.parameters()) {
        Slot old = slots.put(parameter.name(), new Slot(parameter, group));
        if (old != null) {
          throw new IllegalArgumentException(
              "parameter "
                  + parameter
                  + " is listed twice (expected once: names are unique in a model)");
        }
      }
    }
  }

  StabilityMonitor monitor() {
    return monitor;
  }

  void setMonitor(StabilityMonitor newMonitor) {
    monitor = newMonitor;
  }

  void step(float learningRate, Update update) {
    Requirement.notNegative("learning rate", learningRate);
    if (kernels.nonFinite() == NonFinitePolicy.REJECT) {
      FiniteGradients.require(
          kernels, slots.values().stream().map(slot -> slot.parameter).toList());
    }
    for (Slot slot : slots.values()) {
      if (slot.parameter.frozen()) {
        continue;
      }
      if (kernels.nonFinite() == NonFinitePolicy.PROPAGATE
          && !FiniteGradients.isFinite(kernels, slot.parameter)) {
        skipped.merge(slot.parameter.name(), 1L, Long::sum);
        continue;
      }
      if (slot.step == 0) { // parameters that stay frozen need no moments
        slot.m = new float[slot.w().length];
        slot.v = new float[slot.w().length];
      }
      slot.step++;
      update.apply(slot, learningRate * slot.rateFactor);
      slot.parameter.markChanged();
    }
    if (monitor != null) {
      monitor.endStep();
    }
  }

  void zeroGrad() {
    slots.values().forEach(slot -> slot.parameter.zeroGrad());
  }

  Map<String, Long> skipped() {
    return Map.copyOf(skipped);
  }

  List<MomentState> state() {
    return slots.values().stream()
        .filter(slot -> slot.step > 0)
        .map(
            slot ->
                new MomentState(slot.parameter.name(), slot.step, slot.m.clone(), slot.v.clone()))
        .toList();
  }

  void restore(List<MomentState> states) {
    Map<String, MomentState> byName = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    for (MomentState state : states) {
      Slot slot = slots.get(state.name());
      if (slot == null) {
        wrong.add("no parameter " + state.name());
      } else if (state.m().length != slot.w().length || state.v().length != slot.w().length) {
        wrong.add(
            String.format(
                Locale.ROOT,
                "%d and %d moments for %s",
                state.m().length,
                state.v().length,
                slot.parameter));
      } else if (state.step() < 1) {
        wrong.add("step " + state.step() + " of " + state.name());
      }
      if (byName.put(state.name(), state) != null) {
        wrong.add(state.name() + " twice");
      }
    }
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "the state does not fit the optimizer: " + String.join("; ", wrong));
    }
    for (Slot slot : slots.values()) {
      MomentState state = byName.get(slot.parameter.name());
      slot.step = state == null ? 0 : state.step();
      slot.m = state == null ? new float[0] : state.m().clone();
      slot.v = state == null ? new float[0] : state.v().clone();
    }
  }
}
