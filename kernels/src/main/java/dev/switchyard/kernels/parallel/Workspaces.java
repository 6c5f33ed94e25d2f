package dev.switchyard.kernels.parallel;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * What a piece of work needs and the next one can reuse, such as buffers. A thread takes a
 * workspace for the length of its work and gives it back. Kept are a few a processor, so that any
 * number of threads, virtual ones too, share them; nothing is kept by a thread, which may outlive
 * the application. Thread-safe, without locks.
 *
 * <p>Work that fails does not give back: what it has left half done is not found by the next.
 *
 * @param <T> what it is
 */
public final class Workspaces<T> {
  private static final int PLACES_A_PROCESSOR = 4;
  private static final int LEAST_PLACES = 16;

  /** References from place to place: a cache line, so that threads do not disturb each other. */
  private static final int SPACING = 16;

  private final Supplier<T> maker;
  private final int mask;
  private final AtomicReferenceArray<T> places;

  /**
   * None yet.
   *
   * @param maker makes one when all are taken
   */
  public Workspaces(Supplier<T> maker) {
    this.maker = Objects.requireNonNull(maker, "maker");
    int wanted = PLACES_A_PROCESSOR * Runtime.getRuntime().availableProcessors();
    int count = Integer.highestOneBit(2 * Math.max(LEAST_PLACES, wanted) - 1);
    this.mask = count - 1;
    this.places = new AtomicReferenceArray<>(count * SPACING);
  }

  /**
   * A workspace for the calling thread alone, until it is given back.
   *
   * @return that of the last call if it can be had, with whatever it left there
   */
  public T take() {
    int home = home();
    for (int i = 0; i <= mask; i++) {
      int place = place(home + i);
      if (places.getPlain(place) != null) {
        T workspace = places.getAndSet(place, null);
        if (workspace != null) {
          return workspace;
        }
      }
    }
    return maker.get();
  }

  /**
   * Lets others take a workspace. If there are enough, it is dropped.
   *
   * @param workspace that was taken
   */
  public void giveBack(T workspace) {
    int home = home();
    for (int i = 0; i <= mask; i++) {
      int place = place(home + i);
      if (places.getPlain(place) == null && places.compareAndSet(place, null, workspace)) {
        return;
      }
    }
  }

  /** Where a thread looks first: another place than most others. */
  private static int home() {
    return (int) Thread.currentThread().threadId();
  }

  private int place(int number) {
    return (number & mask) * SPACING;
  }
}
