/**
 * Libraries in machine code that the benchmarks compare with, on data in native memory, where they
 * are at their best.
 *
 * <p>{@link dev.switchyard.bench.peers.Peers} finds those on the class path; a {@link
 * dev.switchyard.bench.peers.Peer} makes a {@link dev.switchyard.bench.peers.PeerProduct} or a
 * {@link dev.switchyard.bench.peers.LinearStep}, which run as often as wanted. Results are for the
 * caller to check before anything is timed.
 */
package dev.switchyard.bench.peers;
