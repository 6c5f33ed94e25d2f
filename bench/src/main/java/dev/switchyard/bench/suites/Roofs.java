package dev.switchyard.bench.suites;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.doctor.CopyBandwidth;
import dev.switchyard.bench.doctor.PeakRate;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.data.ElementType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a machine is and can do at most: {@code machine.json} beside results. Rates are those of one
 * thread.
 *
 * @param machine model, cores, memory, system and JDK
 * @param backend of Switchyard, and why
 * @param peers the name and the version of each
 * @param peakGops by type, operations in a nanosecond of the dot instruction on registers alone, a
 *     multiply-add counted as two
 * @param copyGigabytes copied in a second, each byte read once and written once
 */
public record Roofs(
    MachineInfo machine,
    String backend,
    Map<String, String> peers,
    Map<String, Double> peakGops,
    double copyGigabytes) {
  /** The file that it is in. */
  public static final String FILE = "machine.json";

  /** Takes copies. */
  public Roofs {
    peers = new LinkedHashMap<>(peers);
    peakGops = new LinkedHashMap<>(peakGops);
  }

  /** Measures, which takes about a second. */
  static Roofs ofThisMachine(List<Peer> peers) {
    BackendChoice backend = BackendChoice.automatic();
    Map<String, Double> peaks = new LinkedHashMap<>();
    for (ElementType type : ElementType.values()) {
      backend.peak(type).ifPresent(loop -> peaks.put(type.name(), PeakRate.measure(loop)));
    }
    Map<String, String> descriptions = new LinkedHashMap<>();
    peers.forEach(peer -> descriptions.put(peer.name(), peer.description()));
    return new Roofs(
        MachineInfo.ofThisMachine(),
        backend.reason(),
        descriptions,
        peaks,
        CopyBandwidth.measure());
  }
}
