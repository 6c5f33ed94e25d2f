package dev.switchyard.kernels.parallel;

import dev.switchyard.kernels.stack.StackProbe;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that help with calls. One that has helped waits in a place of its own for the next call,
 * since to wake a thread that sleeps takes as long as many a call, and to ask an executor for one
 * longer still. Which call takes whom does not matter, as a caller does what no helper does.
 *
 * <p>A caller gives its call to a helper in one compare-and-set and takes no lock, of ours or of
 * the JDK: an overflow of its stack can then leave none held. An executor may well take one.
 */
final class Helpers {
  /** Longer than what lies between most calls of a training step, and soon over. */
  private static final long MOMENT_NANOS = 50_000;

  /** A new thread takes 0.1 ms: one that had nothing to do for so long is not missed. */
  private static final long IDLE_NANOS = 2_000_000_000;

  /** How a helper waits. No enum, as a call would be the first to initialize that. */
  private static final Object LOOKING = "looking";

  private static final Object SLEEPING = "sleeping";

  /** Each holds how a helper waits there or the {@link Call} that it was given, or null. */
  private final AtomicReferenceArray<Object> places;

  private final Thread[] sleepers;
  private final long lookNanos;
  private final long sleepNanos;
  private final Threads threads;

  /** Where helpers come from. */
  private interface Threads {
    /** Has one more thread run a task, if there is one to be had. */
    boolean begin(Runnable task);
  }

  private Helpers(int places, long lookNanos, long sleepNanos, Threads threads) {
    this.places = new AtomicReferenceArray<>(places);
    this.sleepers = new Thread[places];
    this.lookNanos = lookNanos;
    this.sleepNanos = sleepNanos;
    this.threads = threads;
  }

  /**
   * Those of an executor, which go back to it when no call comes soon.
   *
   * @param count most helpers of a call: if with the caller they outnumber the processors, waiting
   *     would take one away
   */
  static Helpers lent(ExecutorService executor, int count) {
    return new Helpers(fits(count) ? count : 0, MOMENT_NANOS, 0, task -> lend(executor, task));
  }

  /** Daemons of our own, at most so many, which end when they were idle for long. */
  static Helpers own(int count) {
    AtomicInteger alive = new AtomicInteger();
    long look = fits(count) ? MOMENT_NANOS : 0;
    return new Helpers(count, look, IDLE_NANOS, task -> start(alive, count, task));
  }

  private static boolean fits(int helpers) {
    return helpers < Runtime.getRuntime().availableProcessors();
  }

  private static boolean lend(ExecutorService executor, Runnable task) {
    try {
      if (!executor.isShutdown() && StackProbe.hasRoomForOthers()) {
        executor.execute(task);
        return true;
      }
    } catch (RejectedExecutionException e) {
      // Full, or closed since the check: those that have begun do the rest.
    }
    return false;
  }

  private static boolean start(AtomicInteger alive, int most, Runnable task) {
    int number = alive.getAndIncrement();
    boolean started = false;
    try {
      if (number < most && StackProbe.hasRoomForOthers()) {
        Thread thread =
            Thread.ofPlatform()
                .name("switchyard-" + number)
                .daemon()
                .inheritInheritableThreadLocals(false)
                .unstarted(
                    () -> {
                      try {
                        task.run();
                      } finally {
                        alive.getAndDecrement();
                      }
                    });
        // Not that of the caller, which would be kept from going when its application does.
        thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
        thread.start();
        started = true;
      }
    } finally {
      if (!started) {
        alive.getAndDecrement();
      }
    }
    return started;
  }

  /** Gives a call to helpers that wait, and to more threads if they are too few. */
  void summon(Call call, int count) {
    int found = 0;
    for (int i = 0; i < places.length() && found < count; i++) {
      found += give(call, i) ? 1 : 0;
    }
    while (found < count && threads.begin(() -> help(call))) {
      found++;
    }
  }

  private boolean give(Call call, int place) {
    if (places.compareAndSet(place, LOOKING, call)) {
      return true;
    }
    if (places.compareAndSet(place, SLEEPING, call)) {
      LockSupport.unpark(sleepers[place]);
      return true;
    }
    return false;
  }

  /** What a helper does: a call, then those that come soon after. */
  private void help(Call first) {
    int place = 0;
    while (place < places.length() && !places.compareAndSet(place, null, first)) {
      place++;
    }
    if (place == places.length()) {
      first.help(() -> {});
      return;
    }
    int mine = place;
    Runnable look = () -> places.set(mine, LOOKING);
    for (Call call = first; call != null; call = next(mine)) {
      call.help(look);
    }
  }

  /** The next call that is given to who waits in a place; null if none came: the place is left. */
  private Call next(int place) {
    long start = System.nanoTime();
    while (LOOKING.equals(places.get(place)) && System.nanoTime() - start < lookNanos) {
      Thread.onSpinWait();
    }
    if (sleepNanos > 0) {
      sleepers[place] = Thread.currentThread();
      if (places.compareAndSet(place, LOOKING, SLEEPING)) {
        sleep(place);
      }
    }
    boolean left =
        places.compareAndSet(place, LOOKING, null) || places.compareAndSet(place, SLEEPING, null);
    return left ? null : (Call) places.get(place);
  }

  private void sleep(int place) {
    long start = System.nanoTime();
    long left = sleepNanos;
    while (SLEEPING.equals(places.get(place)) && left > 0) {
      LockSupport.parkNanos(this, left);
      Thread.interrupted(); // nobody asks these threads to stop: sleep on
      left = sleepNanos - (System.nanoTime() - start);
    }
  }
}
