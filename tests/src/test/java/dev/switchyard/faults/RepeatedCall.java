package dev.switchyard.faults;

import java.util.concurrent.Callable;

/** An operation that leaves nothing behind: after an error it gives what it always gives. */
public final class RepeatedCall implements FaultCase {
  private final Callable<?> call;
  private final Object expected;

  /**
   * A call whose first result is the one that is expected.
   *
   * @param call what to do; gives arrays, boxes, texts, or arrays of these
   */
  public RepeatedCall(Callable<?> call) {
    this.call = call;
    this.expected = Outcomes.of(call);
  }

  @Override
  public Run begin() {
    return new Run() {
      private Object result;

      @Override
      public void operate() {
        result = Outcomes.of(call);
      }

      @Override
      public String check(boolean failed) {
        return Outcomes.same(expected, Outcomes.of(call))
                && (failed || Outcomes.same(expected, result))
            ? null
            : "gives something else again";
      }
    };
  }
}
