package dev.switchyard.bench.peers;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;

/** The peers that this machine and class path have. */
public final class Peers {
  private static final Map<String, IntFunction<Peer>> ALL = new LinkedHashMap<>();

  static {
    ALL.put("onednn", OneDnn::new);
    ALL.put("openblas", OpenBlas::new);
    ALL.put("pytorch", Torch::new);
    ALL.put("ejml", threads -> new PureJava(new Ejml(threads)));
    ALL.put("ojalgo", threads -> new PureJava(new OjAlgo(threads)));
  }

  /** Those that are at home in products alone, and fast: the ones to beat. */
  public static final List<String> FASTEST = List.of("onednn", "openblas");

  private Peers() {}

  /** The names of all that this library knows. */
  public static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /**
   * The peers that can be used, limited to a number of threads.
   *
   * @param names some of {@link #names}
   * @param threads how many each may use, when called by this thread
   * @param leftOut receives the name of each that cannot be used, and why
   */
  public static List<Peer> find(
      Collection<String> names, int threads, BiConsumer<String, String> leftOut) {
    List<Peer> found = new ArrayList<>();
    for (String name : names) {
      try {
        found.add(create(name, threads));
      } catch (IllegalStateException e) {
        leftOut.accept(name, e.getMessage());
      }
    }
    return found;
  }

  /** The name and the version of each. */
  public static Map<String, String> descriptions(List<Peer> peers) {
    Map<String, String> descriptions = new LinkedHashMap<>();
    peers.forEach(peer -> descriptions.put(peer.name(), peer.description()));
    return descriptions;
  }

  /**
   * One peer by name, limited to a number of threads.
   *
   * @throws IllegalArgumentException if there is none of the name
   * @throws IllegalStateException if it cannot be used, with the reason
   */
  public static Peer load(String name, int threads) {
    if (!ALL.containsKey(name)) {
      throw new IllegalArgumentException(
          "there is no peer " + name + " (expected one of " + ALL.keySet() + ")");
    }
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
