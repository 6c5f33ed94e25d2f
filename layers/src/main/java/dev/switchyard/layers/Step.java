package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import java.util.Locale;

/**
 * Which step a {@link Tape} is in, how far it is, whose thread it belongs to, and how much it has
 * drawn: first forward, then back, once or more, until the reset that ends it.
 */
final class Step {
  private enum Phase {
    FORWARD,
    GOING_BACK,
    WENT_BACK,
    /** An exception came out of the way back: some gradients are a part of what they should be. */
    FAILED,
    /** Its tensors have ended, and not all of its storage is back. */
    ENDING
  }

  private final boolean counts; // whether there are steps at all
  private long number;
  private int draws;
  private Phase phase = Phase.FORWARD;
  private Thread owner; // from the first result on

  Step(boolean counts, long number, int draws) {
    this.counts = counts;
    this.number = number;
    this.draws = draws;
  }

  long number() {
    return number;
  }

  int draws() {
    return draws;
  }

  /** Goes on as if that many keys had been drawn. */
  void skipDraws(int newDraws) {
    draws = newDraws;
  }

  long draw(CounterRandom random) {
    return random.split(number).key(draws++);
  }

  /** Whether tensors of a step are alive. */
  boolean isAt(long ofTensor) {
    return number == ofTensor && phase != Phase.ENDING;
  }

  boolean isNew() {
    return phase == Phase.FORWARD && draws == 0;
  }

  void resumeAfter(long done) {
    number = done + 1;
  }

  /** Refuses a second thread in one step, and a step that has not ended. */
  void use() {
    if (counts && !Thread.currentThread().equals(owner)) {
      if (owner != null) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "step %d of this tape was begun by thread %s and is used by thread %s (expected one"
                    + " thread until reset(), and a tape for each)",
                number,
                owner.getName(),
                Thread.currentThread().getName()));
      }
      if (phase == Phase.ENDING) {
        throw new IllegalStateException(
            "reset() has failed to end step " + number + " of this tape: call it again");
      }
      owner = Thread.currentThread();
    }
  }

  /** Refuses a layer once the way back has begun. */
  void useForward() {
    use();
    requireWholeGradients();
    requireStanding("a layer was computed");
    if (phase == Phase.WENT_BACK) {
      throw new IllegalStateException(
          "backward was already called in step " + number + ": call reset() to begin the next");
    }
  }

  /** Refuses to go back where the tape does so already, or has failed to. */
  void useBack() {
    use();
    requireWholeGradients();
    requireStanding("backward() was called");
  }

  void requireWholeGradients() {
    if (phase == Phase.FAILED) {
      throw new IllegalStateException(
          "backward has failed in step "
              + number
              + ", and gradients may be a part of what they should be: set those of parameters to"
              + " zero and call reset() to begin the next step");
    }
  }

  private void requireStanding(String what) {
    if (phase == Phase.GOING_BACK) {
      throw new IllegalStateException(
          what + " while the tape goes back in step " + number + " (expected after backward)");
    }
  }

  void goBack(Runnable way) {
    phase = Phase.GOING_BACK;
    try {
      way.run();
      phase = Phase.WENT_BACK;
    } catch (Throwable t) {
      phase = Phase.FAILED;
      throw t;
    }
  }

  /** Ends the tensors of the step; {@link #begin} begins the next when their storage is back. */
  void end() {
    requireStanding("reset() was called");
    phase = Phase.ENDING;
    owner = null;
  }

  void begin() {
    draws = 0;
    number += counts ? 1 : 0;
    phase = Phase.FORWARD;
  }
}
