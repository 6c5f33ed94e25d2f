package dev.switchyard.mpi;

import dev.switchyard.layers.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Gradients that travel together, and how far they have come in this step. */
final class Bucket {
  /** Part of a gradient. */
  private record Piece(Parameter parameter, int from, int to, int length) {}

  private final List<Piece> pieces = new ArrayList<>();
  private int elements;
  private Exchange exchange;
  private long filled; // elements, by all shards
  private Collective.Pending first; // null until it has begun
  private Collective.Pending second;

  int elements() {
    return elements;
  }

  /** Takes the next part of a gradient; before {@link #open}. */
  void add(Parameter parameter, int from, int length) {
    pieces.add(new Piece(parameter, from, elements, length));
    elements += length;
  }

  void open(Exchange newExchange) {
    exchange = newExchange;
  }

  /** Copies what it has of a parameter's gradient. */
  void put(Parameter parameter, int slot) {
    MemorySegment to = exchange.shard(slot);
    for (Piece piece : pieces) {
      if (piece.parameter() == parameter) {
        MemorySegment.copy(
            parameter.grad().data(),
            piece.from(),
            to,
            ValueLayout.JAVA_FLOAT,
            (long) Float.BYTES * piece.to(),
            piece.length());
        filled += piece.length();
      }
    }
  }

  boolean isFull(int shards) {
    return filled == (long) elements * shards;
  }

  /** Computes what the first part sends. */
  void encode(long step) {
    exchange.encode(step);
  }

  /** Begins the first part, of whatever is there, unless it has begun. */
  void send() {
    first = first == null ? exchange.send() : first;
  }

  boolean hasArrived() {
    return first.isDone();
  }

  void awaitArrival() {
    first.await();
  }

  /** Computes what the second part sends. */
  void addUp() {
    exchange.addUp();
  }

  /** Begins the second part, of whatever is there, unless it has begun. */
  void sendSum() {
    second = second == null ? exchange.sendSum() : second;
  }

  void awaitSum() {
    second.await();
  }

  /** Takes the mean over all shards for the gradient. */
  void take(float mean) {
    exchange.keepLosses();
    MemorySegment sum = exchange.sum();
    for (Piece piece : pieces) {
      float[] grad = piece.parameter().grad().data();
      for (int i = 0; i < piece.length(); i++) {
        grad[piece.from() + i] =
            mean * sum.getAtIndex(ValueLayout.JAVA_FLOAT, (long) piece.to() + i);
      }
    }
  }

  /** Is empty again, for the next step. */
  void clear() {
    filled = 0;
    first = null;
    second = null;
  }

  long bytes() {
    return exchange.bytes();
  }
}
