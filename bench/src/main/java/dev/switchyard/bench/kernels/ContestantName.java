package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.Precision;
import java.util.List;

/**
 * Who takes part in a benchmark and in what: {@code SWITCHBACK}, or {@code onednn BFLOAT16}.
 *
 * @param library the peer, or {@code switchyard}
 * @param type what it computes in
 */
public record ContestantName(String library, String type) {
  private static final String OURS = "switchyard";

  /** Reads a name. */
  public static ContestantName of(String name) {
    int space = name.indexOf(' ');
    return space > 0 && Peers.names().contains(name.substring(0, space))
        ? new ContestantName(name.substring(0, space), name.substring(space + 1))
        : new ContestantName(OURS, name);
  }

  /** Whether it is Switchyard's own, or a copy to compare with. */
  public boolean isOurs() {
    return library.equals(OURS);
  }

  Precision precision() {
    return Precision.valueOf(type);
  }

  /**
   * Whether it can take part here.
   *
   * @param peers those that can be used
   * @param product whether the contest is about products, which not every CPU has in every type
   */
  public boolean isAmong(List<Peer> peers, boolean product) {
    return isOurs()
        || peers.stream()
            .filter(peer -> peer.name().equals(library))
            .anyMatch(peer -> !product || peer.types().contains(ElementType.valueOf(type)));
  }
}
