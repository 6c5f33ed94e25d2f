package dev.switchyard.mpi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What processes tell each other at the end of a step: whether they have made it. One that has not
 * says why, so that no other takes for a gradient what it has sent, or waits for what it has not.
 */
final class StepEnd {
  /** How a step has ended on a process. */
  private enum Kind {
    MADE(0),
    ABANDONED(1),
    LEFT(2);

    private final long code;

    Kind(long code) {
      this.code = code;
    }
  }

  /**
   * What a process says.
   *
   * @param kind by which all processes can tell, in a message of fixed size
   * @param why in words, which travel only if someone has not made the step
   */
  record Word(Kind kind, String why) {
    static final Word MADE = new Word(Kind.MADE, "");
    static final Word LEFT = new Word(Kind.LEFT, "");

    static Word abandoned(String why) {
      return new Word(Kind.ABANDONED, why);
    }

    static Word failed(Throwable why) {
      return abandoned(why.toString());
    }
  }

  /**
   * How the step has ended.
   *
   * @param failures the processes that have not made it, each with its reason
   * @param left the processes that make no more
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Outcome(String failures, int[] left) {
    private static final Outcome MADE = new Outcome("", new int[0]);

    boolean made() {
      return failures.isEmpty() && left.length == 0;
    }
  }

  private final Collective line;
  private final MemorySegment mine = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
  private final MemorySegment all;
  private Word word;
  private Collective.Pending pending;

  StepEnd(Collective line) {
    this.line = line;
    this.all = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, line.size());
  }

  /** Begins to tell the others; goes on while what was sent before still travels. */
  void tell(Word newWord) {
    word = newWord;
    mine.set(ValueLayout.JAVA_LONG, 0, word.kind().code);
    pending = line.startGather(mine, all);
  }

  /** Waits for what the others say. */
  Outcome hear() {
    pending.await();
    if (ranks(Kind.MADE).length == line.size()) {
      return Outcome.MADE;
    }
    List<byte[]> reasons = line.gather(word.why().getBytes(StandardCharsets.UTF_8));
    String failures =
        Arrays.stream(ranks(Kind.ABANDONED))
            .mapToObj(rank -> "process " + rank + ": " + text(reasons.get(rank)))
            .collect(Collectors.joining("; "));
    return new Outcome(failures, ranks(Kind.LEFT));
  }

  private static String text(byte[] reason) {
    return new String(reason, StandardCharsets.UTF_8);
  }

  private int[] ranks(Kind kind) {
    return IntStream.range(0, line.size())
        .filter(rank -> all.getAtIndex(ValueLayout.JAVA_LONG, rank) == kind.code)
        .toArray();
  }
}
