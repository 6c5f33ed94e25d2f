package dev.switchyard.bench.provider;

import dev.switchyard.bench.kernels.CodaCommand;
import dev.switchyard.bench.kernels.MatmulCommand;
import dev.switchyard.bench.kernels.StepCommand;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.bench.measuring.PeerTransformer;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.bench.peers.TorchTransformer;
import dev.switchyard.bench.soak.SoakCommand;
import dev.switchyard.bench.suites.BenchCommand;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.AdamW;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** The commands that measure and the libraries to compare with, for {@code ServiceLoader}. */
public final class MeasuringProvider implements Measuring {
  /** For {@code ServiceLoader}. */
  public MeasuringProvider() {}

  @Override
  public Map<String, Callable<Integer>> commands() {
    return Map.of(
        "matmul", new MatmulCommand(),
        "step", new StepCommand(),
        "coda", new CodaCommand(),
        "bench", new BenchCommand(),
        "soak", new SoakCommand());
  }

  @Override
  public Map<String, String> peers() {
    Map<String, String> facts = new LinkedHashMap<>();
    for (Peer peer :
        Peers.find(Peers.names(), 1, (name, reason) -> facts.put(name, "left out: " + reason))) {
      facts.put(peer.name(), peer.description() + " for " + peer.types());
    }
    return facts;
  }

  @Override
  public void requirePyTorch() {
    TorchTransformer.requireAvailable();
  }

  @Override
  public PeerTransformer pyTorch(
      PeerTransformer.Shape shape,
      List<Parameter> parameters,
      AdamW.Settings settings,
      boolean autocast,
      int threads) {
    return new TorchTransformer(shape, parameters, settings, autocast, threads);
  }
}
