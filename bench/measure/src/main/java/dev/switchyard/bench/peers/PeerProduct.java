package dev.switchyard.bench.peers;

/** A prepared product Y = X W^T + bias in native memory. */
public interface PeerProduct {
  /** Computes Y anew. */
  void run();

  /** A copy of Y: m rows of n values. */
  float[] result();
}
