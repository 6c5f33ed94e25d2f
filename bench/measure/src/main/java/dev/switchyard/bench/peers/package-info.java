/**
 * Libraries that the benchmarks compare with; those in machine code on data in native memory, where
 * they are at their best.
 *
 * <p>{@link dev.switchyard.bench.peers.Peers} finds those on the class path; a {@link
 * dev.switchyard.bench.peers.Peer} makes a {@link dev.switchyard.bench.peers.PeerProduct} or a
 * {@link dev.switchyard.bench.peers.LinearStep}, which run as often as wanted. Results are for the
 * caller to check before anything is timed. PyTorch also computes whole layers, {@link
 * dev.switchyard.bench.peers.TorchStep}, a model, {@link
 * dev.switchyard.bench.peers.TorchTransformer}, and {@link dev.switchyard.bench.peers.TorchAdamW}.
 */
package dev.switchyard.bench.peers;
