package dev.switchyard.faults;

import java.util.concurrent.Callable;

/**
 * A change of objects that is made as a whole: after an error they are as before or as after it, or
 * refuse to tell; and where they are not as after it, it can be made again.
 */
public final class WholeChange implements FaultCase {
  /** Objects that can be changed once. */
  public interface Subject {
    /** Changes them. */
    void change() throws Exception;

    /** All that others can see of them, as {@link Outcomes#same} compares it. */
    Object state() throws Exception;
  }

  private final Callable<? extends Subject> fresh;
  private final Object before;
  private final Object after;

  /**
   * A change.
   *
   * @param fresh makes the objects
   */
  public WholeChange(Callable<? extends Subject> fresh) {
    this.fresh = fresh;
    Subject subject = Outcomes.of(fresh);
    before = Outcomes.of(subject::state);
    Subject changed = Outcomes.of(fresh);
    change(changed);
    after = Outcomes.of(changed::state);
    if (Outcomes.same(before, after)) {
      throw new AssertionError("the change changes nothing");
    }
  }

  private static void change(Subject subject) {
    Outcomes.of(
        () -> {
          subject.change();
          return null;
        });
  }

  @Override
  public Run begin() {
    Subject subject = Outcomes.of(fresh);
    return new Run() {
      @Override
      public void operate() {
        change(subject);
      }

      @Override
      public String check(boolean failed) {
        Object state = stateOrNull(subject);
        if (Outcomes.same(state, after)) {
          return null;
        }
        if (!failed || (state != null && !Outcomes.same(state, before))) {
          return "is neither as before nor as after the change";
        }
        try {
          change(subject);
        } catch (IllegalStateException e) {
          requireRefusal(e);
          return null;
        }
        return Outcomes.same(Outcomes.of(subject::state), after)
            ? null
            : "is something else when it is changed again";
      }
    };
  }

  /** The state, or null if it is refused in a sentence. */
  private static Object stateOrNull(Subject subject) {
    try {
      return Outcomes.of(subject::state);
    } catch (IllegalStateException e) {
      requireRefusal(e);
      return null;
    }
  }

  /** Sentences that say what would be right, or that there is no value. */
  private static void requireRefusal(IllegalStateException e) {
    if (!e.getMessage().contains("(expected ") && !e.getMessage().contains(" has no value: ")) {
      throw e;
    }
  }
}
