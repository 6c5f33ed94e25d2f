package dev.switchyard.bench.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
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
   * @param leftOut receives the name of each that cannot be used, and why
   */
  public static List<Peer> find(int threads, BiConsumer<String, String> leftOut) {
    List<Peer> found = new ArrayList<>();
    for (String name : ALL.keySet()) {
      try {
        found.add(create(name, threads));
      } catch (IllegalStateException e) {
        leftOut.accept(name, e.getMessage());
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
      return create(name, threads);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(name + " cannot be used here: " + e.getMessage(), e);
    }
  }

  private static Peer create(String name, int threads) {
    try {
      return ALL.get(name).apply(threads);
    } catch (LinkageError | TypeNotPresentException e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      throw new IllegalStateException("it does not load (" + root + ")", e);
    }
  }
}
