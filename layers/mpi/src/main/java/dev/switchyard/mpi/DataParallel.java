package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.layers.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Trains one model on many processes: each computes the gradients of its own shards of a batch, and
 * all get their mean.
 *
 * <pre>{@code
 * DataParallel parallel = new DataParallel(collective, kernels, model.parameters(), settings);
 * tape.whenComplete(parallel::complete);
 * for (...) {
 *   tape.backward(loss(model, tape, shard)); // the mean over the examples of this process's shard
 *   parallel.afterBackward(); // gradients are now the mean over all shards
 *   optimizer.step(rate);
 *   optimizer.zeroGrad();
 *   tape.reset();
 * }
 * }</pre>
 *
 * <p>Shards are of one size, so that the mean of their means is that of the batch. Gradients travel
 * in buckets, from the last layer to the first, while the rest of the backward pass runs (Li et al.
 * 2020, section 3.2). As all processes see the same mean, bit for bit, equal parameters stay equal,
 * the norms of clipping and of StableAdamW are those of the whole batch's gradient, and a gradient
 * that is not finite on one process is not finite on all.
 *
 * <p>For the thread that made the collective.
 */
public final class DataParallel {
  /**
   * How gradients are exchanged.
   *
   * @param reduction what travels, and in what order it is added
   * @param shards of each process in a step: as many backward passes, from 1
   * @param bucket elements that travel together, from 1
   * @param seed of stochastic rounding
   */
  public record Settings(Reduction reduction, int shards, int bucket, long seed) {
    /** One shard a process, 32-bit floats, in buckets of one megabyte. */
    public static final Settings DEFAULT = new Settings(Reduction.FLOAT32, 1, 1 << 18, 1);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public Settings {
      if (shards < 1 || bucket < 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "shards is %d and bucket is %d (expected 1 or more)", shards, bucket));
      }
    }
  }

  private final Kernels kernels;
  private final Collective collective;
  private final Settings settings;
  private final List<Parameter> parameters; // last first
  private final Map<Parameter, List<Bucket>> buckets = new HashMap<>();
  private final List<Bucket> inOrder = new ArrayList<>();
  private final Map<Parameter, Boolean> complete = new HashMap<>();
  private long step;
  private int shard;
  private int started; // buckets whose first part has begun
  private int second; // and whose second part has
  private long waitNanos;

  /**
   * Prepares to exchange the gradients of parameters; every process calls this.
   *
   * @param collective the processes
   * @param kernels what computes
   * @param parameters in the order of layers; frozen ones do not take part
   * @param settings how
   */
  public DataParallel(
      Collective collective, Kernels kernels, List<Parameter> parameters, Settings settings) {
    this.kernels = kernels;
    this.collective = collective;
    this.settings = settings;
    this.parameters = parameters.stream().filter(p -> !p.frozen()).toList().reversed();
    cut(collective.duplicate(), collective.duplicate());
  }

  /** Cuts all gradients, one after the other, into buckets of one size. */
  private void cut(Collective firstLine, Collective secondLine) {
    Bucket bucket = new Bucket();
    for (Parameter parameter : parameters) {
      buckets.put(parameter, new ArrayList<>());
      int length = parameter.rows() * parameter.cols();
      for (int from = 0; from < length; ) {
        int taken = Math.min(length - from, settings.bucket() - bucket.elements);
        bucket.pieces.add(new Piece(parameter, from, bucket.elements, taken));
        bucket.elements += taken;
        buckets.get(parameter).add(bucket);
        from += taken;
        if (bucket.elements == settings.bucket()) {
          close(bucket, firstLine, secondLine);
          bucket = new Bucket();
        }
      }
    }
    if (bucket.elements > 0) {
      close(bucket, firstLine, secondLine);
    }
  }

  private void close(Bucket bucket, Collective firstLine, Collective secondLine) {
    CounterRandom random =
        new CounterRandom(settings.seed()).split(collective.rank()).split(inOrder.size());
    bucket.exchange =
        settings.reduction() == Reduction.FLOAT32
            ? new AllReduce(firstLine, bucket.elements)
            : new SlicedSum(
                kernels,
                firstLine,
                secondLine,
                WireFormat.of(settings.reduction(), kernels),
                random,
                shardsThatTravel(),
                bucket.elements);
    inOrder.add(bucket);
  }

  /** In any other than the fixed order, a process first adds up its own. */
  private int shardsThatTravel() {
    return settings.reduction() == Reduction.ORDERED ? settings.shards() : 1;
  }

  /**
   * Is told that a gradient is complete for this backward pass, see {@link
   * dev.switchyard.layers.Tape#whenComplete}; sends what can be sent.
   *
   * @param parameter whose gradient it is; unknown ones are ignored
   */
  public void complete(Parameter parameter) {
    boolean travels = shardsThatTravel() > 1 || shard == settings.shards() - 1;
    if (!travels || !buckets.containsKey(parameter) || complete.put(parameter, true) != null) {
      return;
    }
    int slot = shardsThatTravel() > 1 ? shard : 0;
    for (Bucket bucket : buckets.get(parameter)) {
      bucket.put(parameter, slot);
    }
    if (shardsThatTravel() > 1) {
      parameter.zeroGrad();
    }
    goOn(false);
  }

  /**
   * Ends a backward pass. After the last of a step, waits for the other processes, and leaves the
   * mean over all shards in the gradients.
   */
  public void afterBackward() {
    for (Parameter parameter : parameters) {
      complete(parameter); // those that the loss did not depend on
    }
    complete.clear();
    shard++;
    if (shard < settings.shards()) {
      return;
    }
    shard = 0;
    long start = System.nanoTime();
    goOn(true);
    float mean = 1f / (settings.shards() * collective.size());
    for (Bucket bucket : inOrder) {
      bucket.pending.await();
      bucket.take(mean);
    }
    waitNanos += System.nanoTime() - start;
    started = 0;
    second = 0;
    step++;
  }

  /** Begins what can begin, in the order of buckets. */
  private void goOn(boolean wait) {
    while (started < inOrder.size() && inOrder.get(started).isFull()) {
      Bucket bucket = inOrder.get(started++);
      bucket.pending = bucket.exchange.start(step);
    }
    while (second < started) {
      Bucket bucket = inOrder.get(second);
      if (wait) {
        bucket.pending.await();
      } else if (!bucket.pending.isDone()) {
        return;
      }
      bucket.pending = bucket.exchange.startSecond();
      second++;
    }
  }

  /**
   * What this process sends to others in a step.
   *
   * @return the bytes; for {@link Reduction#FLOAT32} those of the best algorithms, since the
   *     library does not say
   */
  public long bytesPerStep() {
    return inOrder.stream().mapToLong(bucket -> bucket.exchange.bytes()).sum();
  }

  /**
   * How long {@link #afterBackward} has taken so far: what the backward pass did not hide.
   *
   * @return nanoseconds
   */
  public long waitNanos() {
    return waitNanos;
  }

  /** Part of a gradient in a bucket. */
  private record Piece(Parameter parameter, int from, int to, int length) {}

  /** Gradients that travel together. */
  private final class Bucket {
    private final List<Piece> pieces = new ArrayList<>();
    private int elements;
    private long filled; // by all shards
    private Exchange exchange;
    private Collective.Pending pending;

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

    boolean isFull() {
      return filled == (long) elements * shardsThatTravel();
    }

    void take(float mean) {
      MemorySegment sum = exchange.sum();
      for (Piece piece : pieces) {
        float[] grad = piece.parameter().grad().data();
        for (int i = 0; i < piece.length(); i++) {
          grad[piece.from() + i] =
              mean * sum.getAtIndex(ValueLayout.JAVA_FLOAT, (long) piece.to() + i);
        }
      }
      filled = 0;
    }
  }
}
