package dev.switchyard.bench.report;

import dev.switchyard.layers.Precision;
import java.util.List;

/**
 * Who takes part in a benchmark and in what: {@code SWITCHBACK}, or {@code onednn BFLOAT16}.
 *
 * @param library the peer, or {@code switchyard}
 * @param type what it computes in
 */
public record ContestantName(String library, String type) {
  /** The libraries that are compared with, in the order of tables. */
  public static final List<String> PEERS =
      List.of("onednn", "openblas", "pytorch", "ejml", "ojalgo");

  private static final String OURS = "switchyard";

  /** Reads a name. */
  public static ContestantName of(String name) {
    int space = name.indexOf(' ');
    return space > 0 && PEERS.contains(name.substring(0, space))
        ? new ContestantName(name.substring(0, space), name.substring(space + 1))
        : new ContestantName(OURS, name);
  }

  /** Whether it is Switchyard's own, or a copy to compare with. */
  public boolean isOurs() {
    return library.equals(OURS);
  }

  /** What it computes in, of a contest of steps. */
  public Precision precision() {
    return Precision.valueOf(type);
  }
}
