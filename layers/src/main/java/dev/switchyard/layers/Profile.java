package dev.switchyard.layers;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Where the time of training goes. Attach one to a {@link Tape} and read it after any number of
 * steps. For use by the thread that trains.
 */
public final class Profile {
  /** A kind of work. What none of them covers is the rest of a step. */
  public enum Part {
    /** Rounding activations, gradients and weights to int8 or float8. */
    QUANTIZE,
    /** Products of linear layers: outputs and input gradients. */
    MULTIPLY,
    /** Products of linear layers: weight gradients. */
    WEIGHT_GRADIENT,
    /** Scores, softmax and weighted sums of attention, without its linear layers. */
    ATTENTION,
    /** Choosing tokens for conditional computation, gathering and mixing their rows. */
    ROUTE,
    /** The update of parameters; not measured by the tape, see {@link Profile#measure}. */
    OPTIMIZER
  }

  private final Map<Part, Long> nanos = new EnumMap<>(Part.class);
  private final LongSupplier nanoTime;

  /** A profile in which all parts are zero, on the clock of the JVM. */
  public Profile() {
    this(System::nanoTime);
  }

  /**
   * A profile on another clock.
   *
   * @param nanoTime the time in nanoseconds since some moment
   */
  public Profile(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    clear();
  }

  /**
   * Runs work and adds its time to a part.
   *
   * @param part where the time belongs
   * @param work what to run; does not measure other parts
   */
  public void measure(Part part, Runnable work) {
    long start = nanoTime.getAsLong();
    work.run();
    nanos.merge(part, nanoTime.getAsLong() - start, Long::sum);
  }

  /**
   * The time of a part.
   *
   * @param part the part
   * @return nanoseconds since the profile was made or cleared
   */
  public long nanos(Part part) {
    return nanos.get(part);
  }

  /**
   * The time that no part covers.
   *
   * @param totalNanos the time of all that happened since the profile was made or cleared
   * @return what is left of it
   */
  public long restNanos(long totalNanos) {
    return totalNanos - nanos.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Sets all parts to zero. */
  public void clear() {
    for (Part part : Part.values()) {
      nanos.put(part, 0L);
    }
  }
}
