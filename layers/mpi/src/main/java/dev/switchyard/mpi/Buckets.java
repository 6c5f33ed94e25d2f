package dev.switchyard.mpi;

import dev.switchyard.layers.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All gradients, one after the other, cut into buckets of one size.
 *
 * @param inOrder the buckets
 * @param of those that have a part of a parameter's gradient
 */
record Buckets(List<Bucket> inOrder, Map<Parameter, List<Bucket>> of) {
  /**
   * Cuts.
   *
   * @param size elements of a bucket
   */
  static Buckets cut(List<Parameter> parameters, int size) {
    List<Bucket> inOrder = new ArrayList<>();
    Map<Parameter, List<Bucket>> of = new HashMap<>();
    for (Parameter parameter : parameters) {
      of.put(parameter, new ArrayList<>());
      int length = parameter.rows() * parameter.cols();
      for (int from = 0; from < length; ) {
        if (inOrder.isEmpty() || inOrder.getLast().elements() == size) {
          inOrder.add(new Bucket());
        }
        int taken = Math.min(length - from, size - inOrder.getLast().elements());
        inOrder.getLast().add(parameter, from, taken);
        of.get(parameter).add(inOrder.getLast());
        from += taken;
      }
    }
    return new Buckets(inOrder, of);
  }
}
