package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.optim.FiniteGradients;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.StabilityMonitor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * An optimizer whose state is spread over all processes (ZeRO, Rajbhandari et al. 2020, stage 1):
 * each keeps the moments of its own parameters, updates these, and sends them to the others. Whole
 * parameters belong to a process, dealt out by size, so that what an optimizer computes of a whole
 * tensor, such as the RMS of StableAdamW, is as in one process, bit for bit.
 *
 * <p>Gradients have to be the same on all processes, as {@link DataParallel} leaves them. All
 * processes call every method but {@link #zeroGrad} and {@link #setMonitor}.
 */
public final class ShardedOptimizer implements Optimizer {
  private final Collective collective;
  private final Kernels kernels;
  private final List<Parameter> parameters;
  private final List<List<Parameter>> owned; // by rank
  private final Optimizer own;
  private final MemorySegment values;

  /**
   * Deals out parameters.
   *
   * @param collective the processes
   * @param kernels what computes, and says what to do about gradients that are not finite
   * @param parameters of the model, in the same order everywhere
   * @param create makes an optimizer over the parameters of this process
   */
  public ShardedOptimizer(
      Collective collective,
      Kernels kernels,
      List<Parameter> parameters,
      Function<List<Parameter>, Optimizer> create) {
    this.collective = collective;
    this.kernels = kernels;
    this.parameters = List.copyOf(parameters);
    this.owned = dealOut(parameters, collective.size());
    this.own = create.apply(owned.get(collective.rank()));
    long most = owned.stream().mapToLong(ShardedOptimizer::elements).max().orElse(0);
    this.values = Arena.ofAuto().allocate(Float.BYTES * most, Float.BYTES);
  }

  /** The largest first, each to the process that has least. */
  static List<List<Parameter>> dealOut(List<Parameter> parameters, int processes) {
    List<List<Parameter>> owned = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      owned.add(new ArrayList<>());
    }
    parameters.stream()
        .filter(parameter -> !parameter.frozen())
        .sorted(Comparator.comparingLong((Parameter p) -> (long) p.rows() * p.cols()).reversed())
        .forEach(
            parameter ->
                owned.stream()
                    .min(Comparator.comparingLong(ShardedOptimizer::elements))
                    .orElseThrow()
                    .add(parameter));
    return owned;
  }

  private static long elements(List<Parameter> parameters) {
    return parameters.stream().mapToLong(p -> (long) p.rows() * p.cols()).sum();
  }

  /**
   * The memory of moments on this process.
   *
   * @return the bytes, once each of its parameters was updated
   */
  public long stateBytes() {
    return 2L * Float.BYTES * elements(owned.get(collective.rank()));
  }

  @Override
  public void step(float learningRate) {
    if (kernels.nonFinite() == NonFinitePolicy.REJECT) { // all stop, whoever owns the parameter
      FiniteGradients.require(kernels, parameters);
    }
    own.step(learningRate);
    for (int rank = 0; rank < collective.size(); rank++) {
      share(rank);
    }
  }

  private void share(int root) {
    boolean mine = root == collective.rank();
    long at = 0;
    for (Parameter parameter : mine ? owned.get(root) : List.<Parameter>of()) {
      float[] value = parameter.value().data();
      MemorySegment.copy(value, 0, values, ValueLayout.JAVA_FLOAT, at, value.length);
      at += (long) Float.BYTES * value.length;
    }
    collective.broadcast(root, values.asSlice(0, Float.BYTES * elements(owned.get(root))));
    at = 0;
    for (Parameter parameter : mine ? List.<Parameter>of() : owned.get(root)) {
      float[] value = parameter.value().data();
      MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, at, value, 0, value.length);
      parameter.markChanged();
      at += (long) Float.BYTES * value.length;
    }
  }

  @Override
  public void zeroGrad() {
    parameters.forEach(Parameter::zeroGrad);
  }

  /** Of all processes. */
  @Override
  public Map<String, Long> skipped() {
    Map<String, Long> all = new TreeMap<>();
    for (byte[] part : collective.gather(written(out -> writeSkipped(own.skipped(), out)))) {
      read(part, in -> all.put(in.readUTF(), in.readLong()));
    }
    return all;
  }

  /**
   * Of all processes, in the order of parameters: what a single process would have. Each process
   * receives it, and has memory for all of it as long as it is kept.
   */
  @Override
  public List<MomentState> state() {
    Map<String, MomentState> all = new TreeMap<>();
    for (byte[] part : collective.gather(written(out -> writeStates(own.state(), out)))) {
      read(
          part,
          in -> {
            MomentState state = new MomentState(in.readUTF(), in.readInt(), floats(in), floats(in));
            all.put(state.name(), state);
          });
    }
    return parameters.stream()
        .filter(parameter -> all.containsKey(parameter.name()))
        .map(parameter -> all.get(parameter.name()))
        .toList();
  }

  /** From the state of all processes, of however many there were. */
  @Override
  public void restore(List<MomentState> states) {
    List<String> mine = owned.get(collective.rank()).stream().map(Parameter::name).toList();
    List<String> known = parameters.stream().map(Parameter::name).toList();
    for (MomentState state : states) {
      if (!known.contains(state.name())) {
        throw new IllegalArgumentException(
            "the state does not fit the optimizer: no parameter " + state.name());
      }
    }
    own.restore(states.stream().filter(state -> mine.contains(state.name())).toList());
  }

  /** Watches the updates of this process's parameters. */
  @Override
  public void setMonitor(StabilityMonitor monitor) {
    own.setMonitor(monitor);
  }

  private interface Output {
    void to(DataOutputStream out) throws IOException;
  }

  private interface Input {
    void from(DataInputStream in) throws IOException;
  }

  private static byte[] written(Output output) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      output.to(new DataOutputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void read(byte[] part, Input input) {
    try {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(part));
      while (in.available() > 0) {
        input.from(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void writeSkipped(Map<String, Long> skipped, DataOutputStream out)
      throws IOException {
    for (Map.Entry<String, Long> entry : skipped.entrySet()) {
      out.writeUTF(entry.getKey());
      out.writeLong(entry.getValue());
    }
  }

  private static void writeStates(List<MomentState> states, DataOutputStream out)
      throws IOException {
    for (MomentState state : states) {
      out.writeUTF(state.name());
      out.writeInt(state.step());
      writeFloats(state.m(), out);
      writeFloats(state.v(), out);
    }
  }

  private static void writeFloats(float[] values, DataOutputStream out) throws IOException {
    out.writeInt(values.length);
    byte[] bytes = new byte[Float.BYTES * values.length];
    MemorySegment.copy(
        values,
        0,
        MemorySegment.ofArray(bytes),
        ValueLayout.JAVA_FLOAT_UNALIGNED,
        0,
        values.length);
    out.write(bytes);
  }

  private static float[] floats(DataInputStream in) throws IOException {
    float[] values = new float[in.readInt()];
    byte[] bytes = in.readNBytes(Float.BYTES * values.length);
    MemorySegment.copy(
        MemorySegment.ofArray(bytes),
        ValueLayout.JAVA_FLOAT_UNALIGNED,
        0,
        values,
        0,
        values.length);
    return values;
  }
}
