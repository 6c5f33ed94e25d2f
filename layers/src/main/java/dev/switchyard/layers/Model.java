package dev.switchyard.layers;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Something that learns: what layers and whole models have in common. A model lists its parts, a
 * layer its own parameters, each once; all else follows from them. For use by one thread at a time.
 */
public interface Model {
  /**
   * What it consists of.
   *
   * @return the parts, always in the same order; none for a layer that has none
   */
  default List<? extends Model> parts() {
    return List.of();
  }

  /**
   * What is learned: that of the parts, one after the other, unless a layer has parameters of its
   * own and names them. A parameter that parts have in common (tied weights) is listed once.
   *
   * @return the parameters, always in the same order
   */
  default List<Parameter> parameters() {
    Set<Parameter> all = new LinkedHashSet<>();
    parts().forEach(part -> all.addAll(part.parameters()));
    return List.copyOf(all);
  }

  /**
   * The linear layers inside, however deep: where almost all of the work is, and what {@link
   * Precisions} convert.
   *
   * @return the layers, each once, always in the same order
   */
  default List<Linear> linears() {
    Set<Linear> all = new LinkedHashSet<>();
    parts().forEach(part -> all.addAll(part.linears()));
    return List.copyOf(all);
  }

  /**
   * A table to print: each part with its name, kind, parameters and precision, below it its own
   * parts, and how much of all learns.
   *
   * @return lines, each ended
   */
  default String summary() {
    return Summary.of(this);
  }

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
