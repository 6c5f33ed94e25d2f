package dev.switchyard.layers;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.Outcomes;
import java.util.function.Supplier;

/**
 * A step of a training. A caller that catches an error sets the gradients to zero, resets the tape
 * and goes on: the next step is bit for bit the one that failed, or the one after it, or it is
 * refused until the training is restored.
 */
public final class FailingStep implements FaultCase {
  private final Supplier<SmallTraining> fresh;
  private final Object begun;
  private final Object once;
  private final Object twice;

  /**
   * The first step of a training.
   *
   * @param fresh makes the training
   */
  public FailingStep(Supplier<SmallTraining> fresh) {
    this.fresh = fresh;
    SmallTraining training = fresh.get();
    begun = training.weights();
    training.step();
    once = training.weights();
    training.step();
    twice = training.weights();
    if (Outcomes.same(begun, once) || Outcomes.same(once, twice)) {
      throw new AssertionError("a step changes nothing");
    }
  }

  @Override
  public Run begin() {
    SmallTraining training = fresh.get();
    return new Run() {
      @Override
      public void operate() {
        training.step();
      }

      @Override
      public String check(boolean failed) {
        return FailingStep.this.check(training, failed);
      }
    };
  }

  /** The weights after a first step that others came before, none of which made an update. */
  private Object late(int abandoned, boolean wentBack) {
    SmallTraining training = fresh.get();
    for (int i = 0; i < abandoned; i++) {
      if (wentBack) {
        training.goBack();
      }
      training.abandon();
    }
    training.step();
    return training.weights();
  }

  private String check(SmallTraining training, boolean failed) {
    Object left = training.weights();
    int done = Outcomes.same(left, begun) ? 0 : Outcomes.same(left, once) ? 1 : -1;
    if (!failed && done != 1) {
      return "is another step than the one before";
    }
    if (failed) {
      training.abandon();
    }
    try {
      training.step();
    } catch (IllegalStateException e) {
      // What had begun may not know that no weight has changed yet.
      if (!failed || !e.getMessage().contains("(expected ")) {
        return "refuses the next step: " + e;
      }
      training.abandon();
      training.restore();
      training.step();
      return Outcomes.same(training.weights(), late(2, false))
          ? training.complaint()
          : "the step after restoring gives other weights";
    }
    if (done < 0) {
      return "goes on with weights of which some have made a step";
    }
    Object weights = training.weights();
    boolean right =
        done == 1
            ? Outcomes.same(weights, twice)
            : Outcomes.same(weights, late(1, false))
                || Outcomes.same(weights, late(1, true)); // its exchange has been made
    return right ? training.complaint() : "the step after " + done + " gives other weights";
  }
}
