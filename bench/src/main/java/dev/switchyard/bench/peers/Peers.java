package dev.switchyard.bench.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/** The peers that this machine and class path have. */
public final class Peers {
  private static final Map<String, IntFunction<Peer>> ALL =
      new TreeMap<>(Map.of("onednn", OneDnn::new, "openblas", OpenBlas::new));

  private Peers() {}

  /**
   * The peers that can be used, limited to a number of threads.
   *
   * @param threads how many each may use, when called by this thread
   * @param leftOut receives a sentence for each that cannot be used
   */
  public static List<Peer> find(int threads, Consumer<String> leftOut) {
    List<Peer> found = new ArrayList<>();
    for (String name : ALL.keySet()) {
      try {
        found.add(load(name, threads));
      } catch (IllegalStateException e) {
        leftOut.accept(e.getMessage());
      }
    }
    return found;
  }

  /**
   * One peer by name, limited to a number of threads.
   *
   * @throws IllegalStateException if it cannot be used, with the reason
   */
  public static Peer load(String name, int threads) {
    try {
      return ALL.get(name).apply(threads);
    } catch (LinkageError | TypeNotPresentException | IllegalStateException e) {
      throw new IllegalStateException(
          String.format(Locale.ROOT, "%s cannot be used here: %s", name, e.getMessage()), e);
    }
  }
}
