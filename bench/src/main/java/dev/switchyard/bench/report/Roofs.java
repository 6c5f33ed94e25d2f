package dev.switchyard.bench.report;

import dev.switchyard.bench.command.MachineInfo;
import dev.switchyard.bench.doctor.CopyBandwidth;
import dev.switchyard.bench.doctor.PeakRate;
import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.data.ElementType;
import java.util.LinkedHashMap;
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

  /** Measures, which takes about a second; peers are the name and the version of each. */
  public static Roofs ofThisMachine(Map<String, String> peers) {
    BackendChoice backend = BackendChoice.automatic();
    Map<String, Double> peaks = new LinkedHashMap<>();
    for (ElementType type : ElementType.values()) {
      backend.peak(type).ifPresent(loop -> peaks.put(type.name(), PeakRate.measure(loop)));
    }
    return new Roofs(
        MachineInfo.ofThisMachine(), backend.reason(), peers, peaks, CopyBandwidth.measure());
  }
}
