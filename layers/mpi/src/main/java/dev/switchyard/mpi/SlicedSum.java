package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A sum in a format and an order of our own: each process receives one slice of all shards, adds
 * them up in the order of shards, and sends the sum to all (reduce-scatter, all-gather). What a
 * format loses is added to what is sent next time (error feedback: Seide et al. 2014; of the sums
 * too: Tang et al. 2021, algorithm 1).
 */
final class SlicedSum implements Exchange {
  private static final int BLOCK = WireFormat.BLOCK;

  private final Kernels kernels;
  private final Collective first;
  private final Collective second;
  private final WireFormat format;
  private final CounterRandom random;
  private final int shards;
  private final int rows; // of a slice
  private final long sliceBytes;
  private final MemorySegment staged; // [shards, slices] floats
  private final MemorySegment sent; // [slices, shards] in the format
  private final MemorySegment received; // [processes, shards] of this process's slice
  private final MemorySegment sentSum;
  private final MemorySegment receivedSums; // [slices]
  private final FloatMatrix work;
  private final FloatMatrix other;
  private final boolean lossless;
  private FloatMatrix sums; // [slices]; until then, what is lost in this step
  private FloatMatrix lost; // [slices]
  private FloatMatrix nextLostOfSum;
  private FloatMatrix lostOfSum;
  private long step;

  /**
   * @param first line of first parts
   * @param second line of second parts
   * @param random of this bucket on this process
   * @param shards of each process
   * @param elements of the bucket
   */
  SlicedSum(
      Kernels kernels,
      Collective first,
      Collective second,
      WireFormat format,
      CounterRandom random,
      int shards,
      int elements) {
    this.kernels = kernels;
    this.first = first;
    this.second = second;
    this.format = format;
    this.random = random;
    this.shards = shards;
    int slices = first.size();
    this.rows = Math.ceilDiv(Math.ceilDiv(elements, slices), BLOCK);
    this.sliceBytes = format.bytes(rows);
    this.staged = allocate((long) Float.BYTES * slices * rows * BLOCK * shards);
    this.sent = allocate(sliceBytes * slices * shards);
    this.received = allocate(sliceBytes * slices * shards);
    this.sentSum = allocate(sliceBytes);
    this.receivedSums = allocate(sliceBytes * slices);
    this.work = FloatMatrix.allocate(rows, BLOCK);
    this.other = FloatMatrix.allocate(rows, BLOCK);
    this.lossless = format instanceof WireFormat.Float32;
    this.sums = FloatMatrix.allocate(slices * rows, BLOCK);
    this.lost = FloatMatrix.allocate(lossless ? 0 : slices * rows, BLOCK);
    this.nextLostOfSum = FloatMatrix.allocate(lossless ? 0 : rows, BLOCK);
    this.lostOfSum = FloatMatrix.allocate(lossless ? 0 : rows, BLOCK);
  }

  private static MemorySegment allocate(long bytes) {
    return Arena.ofAuto().allocate(bytes, Long.BYTES);
  }

  @Override
  public MemorySegment shard(int index) {
    return part(staged, shards, index);
  }

  private static MemorySegment part(MemorySegment of, int parts, int index) {
    long bytes = of.byteSize() / parts;
    return of.asSlice(index * bytes, bytes);
  }

  @Override
  public void encode(long newStep) {
    step = newStep;
    int slices = first.size();
    for (int slice = 0; slice < slices; slice++) {
      for (int shard = 0; shard < shards; shard++) {
        MemorySegment gradients = part(shard(shard), slices, slice);
        MemorySegment to = part(sent, slices * shards, slice * shards + shard);
        MemorySegment.copy(gradients, ValueLayout.JAVA_FLOAT, 0, work.data(), 0, rows * BLOCK);
        if (lossless) {
          format.encode(work, 0, to);
        } else {
          encode(slice(lost, slice), slice(sums, slice), slice, to);
        }
      }
    }
  }

  @Override
  public Collective.Pending send() {
    return first.startExchange(sent, received);
  }

  private FloatMatrix slice(FloatMatrix of, int slice) {
    return of.rowRange(slice * rows, (slice + 1) * rows);
  }

  /** Writes {@code work} with what was lost before. */
  private void encode(FloatMatrix feedback, FloatMatrix lostNow, int draw, MemorySegment to) {
    kernels.elementwise().add(work, feedback, work);
    format.encode(work, random.split(step).key(draw), to);
    format.decode(to, other);
    for (int i = 0; i < rows * BLOCK; i++) {
      float difference = work.data()[i] - other.data()[i];
      // A gradient that is not finite spoils its own step only.
      lostNow.data()[lostNow.offset() + i] = Float.isFinite(difference) ? difference : 0;
    }
  }

  @Override
  public void addUp() {
    int terms = first.size() * shards;
    format.decode(part(received, terms, 0), work);
    for (int term = 1; term < terms; term++) {
      format.decode(part(received, terms, term), other);
      kernels.elementwise().add(work, other, work);
    }
    if (lossless) {
      format.encode(work, 0, sentSum);
    } else {
      encode(lostOfSum, nextLostOfSum, -1, sentSum);
    }
  }

  @Override
  public Collective.Pending sendSum() {
    return second.startGather(sentSum, receivedSums);
  }

  @Override
  public void keepLosses() {
    if (!lossless) {
      FloatMatrix before = lost;
      lost = sums;
      sums = before;
      FloatMatrix beforeOfSum = lostOfSum;
      lostOfSum = nextLostOfSum;
      nextLostOfSum = beforeOfSum;
    }
  }

  @Override
  public MemorySegment sum() {
    int slices = first.size();
    for (int slice = 0; slice < slices; slice++) {
      format.decode(part(receivedSums, slices, slice), slice(sums, slice));
    }
    return MemorySegment.ofArray(sums.data());
  }

  @Override
  public long bytes() {
    return sliceBytes * (first.size() - 1) * (shards + 1);
  }
}
