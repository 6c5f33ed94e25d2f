package dev.switchyard.bench.processes;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.optim.MomentState;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.mpi.DataParallel;
import dev.switchyard.mpi.LocalSteps;
import dev.switchyard.mpi.ShardedOptimizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The steps of a training that processes share. One alone has nothing to exchange, and makes them
 * as any training does.
 */
public final class SharedSteps {
  /** What a process computes of a step. */
  @FunctionalInterface
  public interface ShardLoss {
    /**
     * Computes the loss of a part of the batch.
     *
     * @param shard from 0
     */
    Part of(int shard);
  }

  /**
   * The loss of a part of a batch.
   *
   * @param loss 1x1, the mean over the part
   * @param weight the size of the part over that of the mean part; 1 for a loss of the whole batch
   */
  public record Part(Tensor loss, double weight) {}

  private final Processes processes;
  private final Tape tape;
  private final Profile profile;
  private final Optimizer optimizer;
  private final int shards; // of this process
  private final DataParallel parallel; // null for steps that a process makes alone
  private final LocalSteps local; // null without
  private boolean agreed = true;

  /**
   * Prepares the steps; every process does.
   *
   * @param tape what the losses are computed on
   * @param profile receives the time of the optimizer
   * @param parameters the same everywhere
   * @param create makes an optimizer over parameters
   * @param seed of all that is random in the exchange
   */
  public SharedSteps(
      Processes processes,
      Sharing sharing,
      Kernels kernels,
      Tape tape,
      Profile profile,
      List<Parameter> parameters,
      Function<List<Parameter>, Optimizer> create,
      long seed) {
    this.processes = processes;
    this.tape = tape;
    this.profile = profile;
    this.shards = sharing.shards() / processes.count();
    this.optimizer =
        sharing.optimizerIsSharded()
            ? new ShardedOptimizer(processes.collective(), kernels, parameters, create)
            : create.apply(parameters);
    boolean exchanges = sharing.shards() > 1;
    if (exchanges && sharing.localSteps() == 0) {
      DataParallel.Settings settings =
          new DataParallel.Settings(
              sharing.gradients(), shards, DataParallel.Settings.DEFAULT.bucket(), seed);
      parallel = new DataParallel(processes.collective(), kernels, parameters, settings);
      tape.whenComplete(parallel::complete);
    } else {
      parallel = null;
    }
    local =
        exchanges && sharing.localSteps() > 0
            ? new LocalSteps(
                processes.collective(),
                kernels,
                parameters,
                sharing.gradients(),
                seed,
                LocalSteps.Settings.every(sharing.localSteps()))
            : null;
  }

  /**
   * Makes a step.
   *
   * @return the loss of the batch before it, a 32-bit float as checkpoints keep it
   */
  public double step(ShardLoss losses, float rate) {
    double[] all = new double[shards * processes.count()]; // added up in the order of shards
    for (int i = 0; i < shards; i++) {
      int shard = processes.collective().rank() * shards + i;
      Part part = losses.of(shard);
      all[shard] = part.weight() * part.loss().value().get(0, 0);
      tape.backward(part.loss(), FloatMatrix.of(new float[] {(float) part.weight()}, 1, 1));
      if (parallel != null) {
        parallel.afterBackward();
      }
      tape.reset();
    }
    profile.measure(
        Profile.Part.OPTIMIZER,
        () -> {
          optimizer.step(rate);
          optimizer.zeroGrad();
        });
    agreed = local == null || local.afterStep();
    processes.collective().sum(all);
    return (float) (Arrays.stream(all).reduce(0, Double::sum) / all.length);
  }

  /** Whether all processes have the same parameters now, so that they can be saved. */
  public boolean isAgreed() {
    return agreed;
  }

  /** Over all parameters. */
  public Optimizer optimizer() {
    return optimizer;
  }

  /** What is to be saved beside parameters and optimizer. */
  public Map<String, FloatMatrix> extra() {
    return local == null ? Map.of() : local.state();
  }

  /**
   * Goes on as after so many steps: each is as many of the tape, on which random masks depend, as
   * this process has shards.
   */
  public void resumeAfter(int steps) {
    tape.resumeAfter((long) steps * shards);
  }

  /** Goes on from what was saved; parameters have been restored. */
  public void restoreExtra(Map<String, FloatMatrix> extra) {
    if (local != null) {
      local.restore(extra);
    }
  }

  /** How long this process has waited for gradients so far. */
  public long waitNanos() {
    return parallel == null ? 0 : parallel.waitNanos();
  }

  /**
   * What the exchange costs, for reports; every process calls this.
   *
   * @return bytes that the first process sends in a step, and those of the optimizer's state in
   *     each process
   */
  public Map<String, Object> costs() {
    double[] state = new double[processes.count()];
    state[processes.collective().rank()] =
        optimizer instanceof ShardedOptimizer sharded
            ? sharded.stateBytes()
            : optimizer.state().stream().mapToLong(SharedSteps::bytes).sum();
    processes.collective().sum(state);
    Map<String, Object> costs = new LinkedHashMap<>();
    costs.put(
        local == null ? "bytesSentPerStep" : "bytesSentPerAgreement",
        parallel != null ? parallel.bytesPerStep() : local != null ? local.bytesPerAgreement() : 0);
    costs.put("optimizerBytes", Arrays.stream(state).mapToLong(x -> (long) x).toArray());
    return costs;
  }

  /** Makes no further step; not after a failure, after which others may not come here. */
  public void close() {
    if (parallel != null) {
      parallel.close();
    }
    if (local != null) {
      local.close();
    }
  }

  private static long bytes(MomentState state) {
    return Float.BYTES * ((long) state.m().length + state.v().length);
  }
}
