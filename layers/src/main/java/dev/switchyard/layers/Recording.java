package dev.switchyard.layers;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What layers recorded in a step of a {@link Tape}: a node each, in the order of computation. A
 * node is gone back through at most once, so that a gradient that has left it is whole.
 */
final class Recording {
  private final List<Node> nodes = new ArrayList<>();
  private final Set<Object> readLater = Collections.newSetFromMap(new IdentityHashMap<>());
  private final BitSet walked = new BitSet();

  boolean isEmpty() {
    return nodes.isEmpty();
  }

  /** The place of the node that is added next. */
  int next() {
    return nodes.size();
  }

  void add(Node node) {
    node.kept().forEach(matrix -> readLater.add(storage(matrix)));
    nodes.add(node);
  }

  /** Whether a layer said that it reads a matrix on the way back. */
  boolean readsLater(Matrix matrix) {
    return readLater.contains(storage(matrix));
  }

  private static Object storage(Matrix matrix) {
    return switch (matrix) {
      case FloatMatrix m -> m.data();
      case Bfloat16Matrix m -> m.data();
      case QuantizedMatrix m -> m;
    };
  }

  /** The bytes of all matrices that are read on the way back. */
  long bytesRead() {
    Set<Matrix> read = new HashSet<>(); // equal: the same part of the same array
    for (Node node : nodes) {
      read.addAll(node.kept());
    }
    return read.stream().mapToLong(Recording::bytes).sum();
  }

  private static long bytes(Matrix matrix) {
    long elements = (long) matrix.rows() * matrix.cols();
    return switch (matrix) {
      case FloatMatrix _ -> Float.BYTES * elements;
      case Bfloat16Matrix _ -> Short.BYTES * elements;
      case QuantizedMatrix q ->
          (long) q.rows() * q.rowStride()
              + (long) Float.BYTES * q.scaling().scales(q.rows(), q.cols())
              + (long) Integer.BYTES * q.rows(); // the sums of rows
    };
  }

  /**
   * Refuses a way back from results, if a layer that led to them was gone back through, or one of
   * its parameters is no longer what it was.
   *
   * @return the places of the nodes that lead to the results
   */
  BitSet waysBack(List<Tensor> results) {
    BitSet ways = new BitSet(nodes.size());
    results.forEach(y -> ways.set(y.node()));
    for (int i = ways.length() - 1; i >= 0; i = ways.previousSetBit(i - 1)) {
      Node node = nodes.get(i);
      if (walked.get(i)) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "backward was already called in this step for a result that the layer of tensor %s"
                    + " led to (expected one call for all results that share a layer,"
                    + " backward(List, List), or reset() to begin the next step)",
                node.result().shape()));
      }
      node.uses().forEach(Node.Use::check);
      for (Tensor x : node.from()) {
        if (x.node() >= 0) {
          ways.set(x.node());
        }
      }
    }
    return ways;
  }

  /**
   * Goes back from the last of the given nodes to the first, through each that a gradient came to.
   *
   * @param back goes back through one
   * @param whenComplete is told of each parameter that learns once all nodes that use it were gone
   *     back through, when no gradient can be added any more in this step; may be null
   */
  void goBack(BitSet ways, Consumer<Node> back, Consumer<Parameter> whenComplete) {
    Map<Parameter, Integer> open = whenComplete == null ? Map.of() : openUses();
    for (int i = ways.length() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      if (node.result().grad == null) {
        continue;
      }
      if (!ways.get(i)) {
        throw new IllegalStateException(
            "a layer gave a gradient to tensor "
                + node.result().shape()
                + ", but its result was not recorded as computed from it (expected it among those"
                + " that from names)");
      }
      back.accept(node);
      walked.set(i);
      if (whenComplete != null) {
        complete(node, open, whenComplete);
      }
    }
  }

  private static void complete(
      Node node, Map<Parameter, Integer> open, Consumer<Parameter> whenComplete) {
    for (Node.Use use : node.uses().reversed()) {
      if (open.merge(use.parameter(), -1, Integer::sum) == 0 && !use.frozen()) {
        whenComplete.accept(use.parameter());
      }
    }
  }

  /** How many uses of each parameter were not gone back through. */
  private Map<Parameter, Integer> openUses() {
    Map<Parameter, Integer> open = new HashMap<>();
    for (int i = walked.nextClearBit(0); i < nodes.size(); i = walked.nextClearBit(i + 1)) {
      nodes.get(i).uses().forEach(use -> open.merge(use.parameter(), 1, Integer::sum));
    }
    return open;
  }

  /** Begins anew. */
  void clear() {
    nodes.clear();
    readLater.clear();
    walked.clear();
  }
}
