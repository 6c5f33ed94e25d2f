package dev.switchyard.layers;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Something that learns: what layers and whole models have in common. For use by one thread at a
 * time.
 */
public interface Model {
  /**
   * What is learned. A parameter that parts have in common (tied weights) is listed once.
   *
   * @return the parameters, always in the same order
   */
  List<Parameter> parameters();

  /**
   * The linear layers inside, however deep: where almost all of the work is, and what {@link
   * Precisions} convert.
   *
   * @return the layers, each once, always in the same order
   */
  List<Linear> linears();

  /**
   * The lists of several parts, one after the other; what is listed twice stays where it comes
   * first.
   *
   * @param lists parameters, or linear layers
   * @param <T> which of them
   * @return all of them
   */
  @SafeVarargs
  static <T> List<T> concat(List<T>... lists) {
    Set<T> all = new LinkedHashSet<>();
    for (List<T> list : lists) {
      all.addAll(list);
    }
    return List.copyOf(all);
  }
}
