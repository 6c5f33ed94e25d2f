package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.layers.Parameter;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Trains one model on many processes: each computes the gradients of its own shards of a batch, and
 * all get their mean.
 *
 * <pre>{@code
 * DataParallel parallel = new DataParallel(collective, kernels, model.parameters(), settings);
 * tape.whenComplete(parallel::complete);
 * for (...) {
 *   try {
 *     tape.backward(loss(model, tape, shard)); // the mean over the examples of this process's shard
 *     parallel.afterBackward(); // gradients are now the mean over all shards
 *     optimizer.step(rate);
 *   } catch (NonFiniteException | AbandonedStepException e) { // here, or elsewhere
 *     parallel.abandon(e);
 *   }
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
 * <h2>A step that fails</h2>
 *
 * Processes make a step together or not at all: at its end each says whether it has made it. One
 * that catches an exception, of the forward pass too, calls {@link #abandon}; the others, who wait
 * for it, get an {@link AbandonedStepException} from {@link #afterBackward}. The next step then has
 * the bits that it would have had without, on all of them. A process alone that only sets gradients
 * to zero after an exception abandons the step as it begins the next. Whatever else would mix two
 * steps is refused with an {@link AbandonedStepException}, after which all can go on too. After an
 * exchange that has itself failed, there is nothing to go on with: every call is refused.
 *
 * <p>An optimizer's step that fails on one process alone leaves other parameters there: go on from
 * a checkpoint, on all. A process that ends by an exception has to take the others along, see
 * {@link Mpi#run}.
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
  private final Settings settings;
  private final Collective firstLine;
  private final Collective secondLine;
  private final List<Parameter> parameters; // last first
  private final Map<Parameter, List<Bucket>> buckets;
  private final List<Bucket> inOrder;
  private final StepEnd stepEnd;
  private long step;
  private long waitNanos;
  private boolean closed;
  private Throwable broken; // what no step can be made after; null while it can

  // Of the step that is being made.
  private Map<Parameter, Long> zeroings; // when it began; null between steps
  private final Set<Parameter> complete = new HashSet<>(); // in this backward pass
  private int shard;
  private int started; // buckets whose first part has begun
  private int second; // and whose second part has
  private Throwable failure; // null while it has not failed

  /**
   * Prepares to exchange the gradients of parameters; every process calls this.
   *
   * @param collective the processes
   * @param kernels what computes
   * @param parameters in the order of layers; frozen ones do not take part
   * @param settings how
   * @throws CollectiveException on every process, if one has other parameters or settings than the
   *     first
   */
  public DataParallel(
      Collective collective, Kernels kernels, List<Parameter> parameters, Settings settings) {
    this.kernels = kernels;
    this.settings = settings;
    this.parameters = parameters.stream().filter(p -> !p.frozen()).toList().reversed();
    Agreement.require(collective, facts());
    this.firstLine = collective.duplicate();
    this.secondLine = collective.duplicate();
    this.stepEnd = new StepEnd(secondLine);
    Buckets cut = Buckets.cut(this.parameters, settings.bucket());
    this.buckets = cut.of();
    this.inOrder = cut.inOrder();
    for (Bucket bucket : inOrder) {
      open(bucket, new CounterRandom(settings.seed()).split(collective.rank()));
    }
  }

  /** What has to be the same everywhere, or buckets would be of other sizes and wait for ever. */
  private Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("settings", settings.toString());
    facts.putAll(Agreement.facts(parameters));
    return facts;
  }

  private void open(Bucket bucket, CounterRandom random) {
    bucket.open(
        settings.reduction() == Reduction.FLOAT32
            ? new AllReduce(firstLine, bucket.elements())
            : new SlicedSum(
                kernels,
                firstLine,
                secondLine,
                WireFormat.of(settings.reduction(), kernels),
                random.split(inOrder.indexOf(bucket)),
                shardsThatTravel(),
                bucket.elements()));
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
   * @throws AbandonedStepException if it was complete already, the step has failed, or gradients
   *     were set to zero between its backward passes
   * @throws CollectiveException if processes can exchange nothing any more
   */
  public void complete(Parameter parameter) {
    if (!buckets.containsKey(parameter)) {
      return;
    }
    begin(parameter);
    if (complete.contains(parameter)) {
      throw refusal(
          String.format(
              Locale.ROOT,
              "the gradient of %s was complete before in this backward pass (expected"
                  + " afterBackward() after each, or gradients set to zero after one that failed)",
              parameter));
    }
    attempt(() -> travel(parameter));
  }

  /** Begins the step, unless it has begun, and makes sure that it can go on. */
  private void begin(Parameter parameter) {
    requireUsable();
    if (zeroings != null && zeroings.get(parameter) != parameter.zeroings()) {
      giveUp();
      requireUsable(); // another process may have left
    }
    if (failure != null) {
      throw refusal(
          "the step has failed: " + failure + " (expected gradients set to zero, or abandon())");
    }
    if (zeroings == null) {
      Map<Parameter, Long> now = new HashMap<>();
      parameters.forEach(p -> now.put(p, p.zeroings()));
      zeroings = now;
    }
  }

  /** Gradients were set to zero since the step began: whoever did so has given it up. */
  private void giveUp() {
    boolean all = parameters.stream().allMatch(p -> zeroings.get(p) != p.zeroings());
    boolean between = complete.isEmpty() && failure == null;
    if (!all || between) {
      throw refusal(
          String.format(
              Locale.ROOT,
              "%s gradients were set to zero %s (expected all, after the last of %d backward passes"
                  + " or after one that failed)",
              all ? "all" : "some",
              between ? "between two backward passes of a step" : "in a backward pass",
              settings.shards()));
    }
    end(
        StepEnd.Word.abandoned(
            failure == null ? "gradients were set to zero before its end" : failure.toString()));
  }

  /** Abandons the step because of a call that would mix it with another. */
  private RuntimeException refusal(String why) {
    end(StepEnd.Word.abandoned(why));
    return broken == null ? new AbandonedStepException(why) : unusable();
  }

  private void travel(Parameter parameter) {
    complete.add(parameter);
    if (shardsThatTravel() == 1 && shard < settings.shards() - 1) {
      return; // later, with what the other passes add
    }
    int slot = shardsThatTravel() > 1 ? shard : 0;
    for (Bucket bucket : buckets.get(parameter)) {
      bucket.put(parameter, slot);
    }
    if (shardsThatTravel() > 1) {
      parameter.zeroGrad();
      zeroings.put(parameter, parameter.zeroings());
    }
    goOn(false);
  }

  /**
   * Ends a backward pass. After the last of a step, waits for the other processes, and leaves the
   * mean over all shards in the gradients.
   *
   * @throws AbandonedStepException if another process has abandoned the step, or as {@link
   *     #complete}
   * @throws CollectiveException if processes can exchange nothing any more
   */
  public void afterBackward() {
    requireUsable();
    for (Parameter parameter : parameters) {
      begin(parameter);
    }
    attempt(
        () -> {
          for (Parameter parameter : parameters) {
            if (!complete.contains(parameter)) {
              travel(parameter); // the loss did not depend on it
            }
          }
          complete.clear();
          shard++;
        });
    if (shard < settings.shards()) {
      return;
    }
    long start = System.nanoTime();
    attempt(() -> goOn(true));
    String[] failures = new String[1];
    together( // nothing after it can fail, when the others have made the step
        () -> {
          failures[0] = end(StepEnd.Word.MADE);
          waitNanos += System.nanoTime() - start;
        });
    if (broken != null) {
      throw unusable();
    }
    if (failures[0] != null) {
      throw new AbandonedStepException(
          "all processes have abandoned the step, which has failed on " + failures[0]);
    }
  }

  /** Begins what can begin, in the order of buckets. */
  private void goOn(boolean wait) {
    while (started < inOrder.size() && inOrder.get(started).isFull(shardsThatTravel())) {
      Bucket bucket = inOrder.get(started);
      bucket.encode(step);
      together(bucket::send);
      started++;
    }
    while (second < started) {
      Bucket bucket = inOrder.get(second);
      if (wait) {
        together(bucket::awaitArrival);
      } else if (!hasArrived(bucket)) {
        return;
      }
      bucket.addUp();
      together(bucket::sendSum);
      second++;
    }
  }

  private boolean hasArrived(Bucket bucket) {
    boolean[] arrived = new boolean[1];
    together(() -> arrived[0] = bucket.hasArrived());
    return arrived[0];
  }

  /**
   * Abandons the step that an exception has ended on this process, on all of them; to be called by
   * all that catch one, before the next backward pass. Waits until the others come to the end of
   * the step. What gradients hold then is of no use: set them to zero.
   *
   * @param why what the others are told; after an {@link AbandonedStepException} all have abandoned
   *     it, and nothing is done
   */
  public void abandon(Throwable why) {
    if (!(why instanceof AbandonedStepException) && broken == null && !closed) {
      end(StepEnd.Word.failed(why));
    }
  }

  /**
   * Ends the step for all processes: whatever a process has not sent yet, it sends now, so that
   * each comes to the end. If all have made it, gradients are the mean afterwards.
   *
   * @return null then, otherwise the processes that have not, each with its reason
   */
  private String end(StepEnd.Word word) {
    String[] failures = new String[1];
    together(
        () -> {
          inOrder.forEach(Bucket::send);
          for (Bucket bucket : inOrder) {
            bucket.awaitArrival();
            bucket.sendSum();
          }
          stepEnd.tell(word);
          inOrder.forEach(Bucket::awaitSum);
          StepEnd.Outcome outcome = stepEnd.hear();
          failures[0] = outcome.failures();
          if (outcome.made()) {
            failures[0] = null;
            float mean = 1f / (settings.shards() * firstLine.size());
            inOrder.forEach(bucket -> bucket.take(mean));
            step++;
          } else if (outcome.left().length > 0) {
            broken =
                new CollectiveException(
                    "process " + outcome.left()[0] + " has left, so that there is no next step");
          }
          forget();
        });
    return failures[0];
  }

  /** How many steps all processes have made. */
  long made() {
    return step;
  }

  private void forget() {
    inOrder.forEach(Bucket::clear);
    complete.clear();
    zeroings = null;
    shard = 0;
    started = 0;
    second = 0;
    failure = null;
  }

  /** Runs what computes; if it fails, so has the step. */
  private void attempt(Runnable work) {
    try {
      work.run();
    } catch (Throwable e) {
      failure = e;
      throw e;
    }
  }

  /** Runs what all processes have to do alike; if it fails, this one is no longer as the others. */
  private void together(Runnable work) {
    try {
      work.run();
    } catch (Throwable e) {
      broken = e;
      throw e;
    }
  }

  private void requireUsable() {
    if (closed) {
      throw new IllegalStateException("this exchange of gradients was closed");
    }
    if (broken != null) {
      throw unusable();
    }
  }

  private CollectiveException unusable() {
    return new CollectiveException(
        "no more gradients can be exchanged (expected a training that goes on from a checkpoint, on"
            + " all processes): "
            + broken,
        broken);
  }

  /**
   * What this process sends to others in a step.
   *
   * @return the bytes; for {@link Reduction#FLOAT32} those of the best algorithms, since the
   *     library does not say
   */
  public long bytesPerStep() {
    return inOrder.stream().mapToLong(Bucket::bytes).sum();
  }

  /**
   * How long {@link #afterBackward} has taken so far: what the backward pass did not hide.
   *
   * @return nanoseconds
   */
  public long waitNanos() {
    return waitNanos;
  }

  /**
   * Makes no further step, and gives back what the exchange holds of the MPI library. All processes
   * call this, after the last step and not after a failure, when others may be elsewhere; one that
   * makes another step instead gets a {@link CollectiveException} that names this one.
   */
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (broken == null) {
      end(StepEnd.Word.LEFT);
    }
    firstLine.close();
    secondLine.close();
  }
}
