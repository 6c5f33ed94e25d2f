package dev.switchyard.faults;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Where an operation can fail. A place is what the nearest three calls that have led there are; a
 * loop passes it again and again, with the same left to do but in its first turn and its last.
 */
final class Places {
  private static final int NEAREST = 3;

  private static final StackWalker WALKER = StackWalker.getInstance();

  private final Map<List<Integer>, int[]> ends = new HashMap<>();

  /** Is passed for the n-th time, here. */
  synchronized void pass(int point) {
    List<Integer> place =
        WALKER.walk(
            frames ->
                frames
                    .dropWhile(frame -> frame.getClassName().equals(Places.class.getName()))
                    .dropWhile(frame -> frame.getClassName().equals(Faults.class.getName()))
                    .limit(NEAREST)
                    .map(Places::hash)
                    .toList());
    ends.computeIfAbsent(place, _ -> new int[] {point, point})[1] = point;
  }

  private static int hash(StackWalker.StackFrame frame) {
    return Objects.hash(frame.getClassName(), frame.getMethodName(), frame.getByteCodeIndex());
  }

  /** The first and the last point of each. */
  IntStream points() {
    return ends.values().stream().flatMapToInt(IntStream::of).distinct().sorted();
  }
}
