package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.parallel.Parallel;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ParallelTest {
  @ParameterizedTest
  @CsvSource({"1,0", "1,5", "2,0", "2,1", "2,1000", "3,2", "9,1000"})
  void eachTaskRunsOnce(int threads, int tasks) {
    AtomicIntegerArray runs = new AtomicIntegerArray(tasks);

    Parallel.ofThreads(threads).forEach(tasks, runs::incrementAndGet);

    assertThat(IntStream.range(0, tasks).map(runs::get)).hasSize(tasks).allMatch(n -> n == 1);
  }

  @Test
  void oneThreadIsTheCallersAndTouchesNoPool() {
    Thread caller = Thread.currentThread();

    Parallel.over(new ClosedPool().pool, 1)
        .forEach(3, i -> assertThat(Thread.currentThread()).isSameAs(caller));

    assertThat(Parallel.ofThreads(1).threads()).isEqualTo(1);
    assertThat(Parallel.serial().threads()).isEqualTo(1);
  }

  @Test
  void severalThreadsWorkAtATime() {
    CountDownLatch both = new CountDownLatch(2);
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      Parallel.over(pool, 2)
          .forEach(
              2,
              i -> {
                both.countDown();
                await(both); // returns only if the other task runs meanwhile
              });
    }
    assertThat(both.getCount()).isZero();
  }

  /** Those of the common pool do not: what a thread keeps would be made anew for every call. */
  @Test
  void helpersKeepTheirBuffersFromCallToCall() {
    AtomicInteger made = new AtomicInteger();
    ThreadLocal<Integer> buffer = ThreadLocal.withInitial(made::incrementAndGet);
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    for (int call = 0; call < 50; call++) {
      CountDownLatch both = new CountDownLatch(2);
      Parallel.ofThreads(2)
          .forEach(
              2,
              _ -> {
                both.countDown();
                await(both);
                buffer.get();
                threads.add(Thread.currentThread());
              });
    }
    assertThat(made).hasValue(threads.size());
  }

  /** Of threads that are no pool's, too. */
  @Test
  void anyExecutorLendsItsThreads() {
    CountDownLatch all = new CountDownLatch(3);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Parallel.over(executor, 3)
          .forEach(
              3,
              i -> {
                all.countDown();
                await(all);
              });
    }
    assertThat(all.getCount()).isZero();
  }

  /** Its only thread is taken, and its queue has no room. */
  @Test
  void anExecutorThatRefusesTasksLosesNone() {
    AtomicIntegerArray runs = new AtomicIntegerArray(100);
    try (ThreadPoolExecutor executor =
        new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new SynchronousQueue<>())) {
      CountDownLatch release = new CountDownLatch(1);
      executor.execute(() -> await(release));

      Parallel.over(executor, 3).forEach(100, runs::incrementAndGet);

      release.countDown();
    }
    assertThat(IntStream.range(0, 100).map(runs::get)).allMatch(n -> n == 1);
  }

  @Test
  void callerDoesTheWorkOfAClosedPool() {
    AtomicIntegerArray runs = new AtomicIntegerArray(100);

    Parallel.over(new ClosedPool().pool, 4).forEach(100, runs::incrementAndGet);

    assertThat(IntStream.range(0, 100).map(runs::get)).allMatch(n -> n == 1);
  }

  /** The pool's only thread waits for what the caller does next: waiting for it would never end. */
  @Test
  void callerDoesTheWorkOfABusyPool() {
    CountDownLatch occupied = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    AtomicIntegerArray runs = new AtomicIntegerArray(100);
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      pool.execute(
          () -> {
            occupied.countDown();
            await(release);
          });
      await(occupied);
      try {
        Thread caller =
            new Thread(() -> Parallel.over(pool, 2).forEach(100, runs::incrementAndGet));
        caller.start();
        assertThat(joins(caller)).as("forEach returned").isTrue();
        assertThat(IntStream.range(0, 100).map(runs::get)).allMatch(n -> n == 1);
      } finally {
        release.countDown();
      }
    }
  }

  /** All tasks have ended when forEach returns, even if the pool is shut down under it. */
  @Test
  void poolShutDownMeanwhile() {
    AtomicIntegerArray runs = new AtomicIntegerArray(50);
    ForkJoinPool pool = new ForkJoinPool(1);

    Parallel.over(pool, 2)
        .forEach(
            50,
            i -> {
              pool.shutdownNow();
              runs.incrementAndGet(i);
            });

    assertThat(IntStream.range(0, 50).map(runs::get)).allMatch(n -> n == 1);
  }

  @Test
  void anInterruptedCallerStillWaitsAndStaysInterrupted() {
    AtomicIntegerArray runs = new AtomicIntegerArray(100);
    Thread.currentThread().interrupt();

    Parallel.ofThreads(2).forEach(100, runs::incrementAndGet);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(IntStream.range(0, 100).map(runs::get)).allMatch(n -> n == 1);
  }

  /** The helper's task ends when the caller waits for it, or has come back too early. */
  @Test
  void anExecutorThatFailsLeavesNoTaskBehind() {
    Thread caller = Thread.currentThread();
    CountDownLatch begun = new CountDownLatch(1);
    AtomicBoolean back = new AtomicBoolean();
    AtomicInteger ended = new AtomicInteger();
    try (ForkJoinPool pool =
        new ForkJoinPool(1) {
          @Override
          public void execute(Runnable task) {
            super.execute(task);
            while (begun.getCount() > 0) {
              Thread.onSpinWait(); // so that the caller sleeps only where it waits for the helper
            }
            throw new OutOfMemoryError("no more threads");
          }
        }) {
      assertThatThrownBy(
              () ->
                  Parallel.over(pool, 3)
                      .forEach(
                          100,
                          _ -> {
                            begun.countDown();
                            while (!back.get() && caller.getState() != Thread.State.TIMED_WAITING) {
                              Thread.onSpinWait();
                            }
                            ended.incrementAndGet();
                          }))
          .isInstanceOf(OutOfMemoryError.class)
          .hasMessage("no more threads");
      int endedBefore = ended.get();
      back.set(true);
      assertThat(endedBefore).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void failureOfATaskIsTheCallersAndStopsTheRest(int threads) {
    AtomicIntegerArray runs = new AtomicIntegerArray(100_000);
    IllegalStateException failure = new IllegalStateException("task 3");
    Parallel parallel = Parallel.ofThreads(threads);

    assertThatThrownBy(
            () ->
                parallel.forEach(
                    runs.length(),
                    i -> {
                      runs.incrementAndGet(i);
                      if (i == 3) {
                        throw failure;
                      }
                    }))
        .isSameAs(failure);

    assertThat(IntStream.range(0, runs.length()).map(runs::get)).contains(0);
    parallel.forEach(1, i -> runs.incrementAndGet(0)); // and the runner still works
  }

  /** Each thread counts once more when all tasks are taken: beyond the largest int. */
  @Test
  void noTaskIsCountedThatDoesNotExist() {
    CountDownLatch all = new CountDownLatch(3);
    AtomicInteger least = new AtomicInteger();
    try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
      assertThatThrownBy(
              () ->
                  Parallel.over(executor, 3)
                      .forEach(
                          Integer.MAX_VALUE,
                          i -> {
                            least.accumulateAndGet(i, Math::min);
                            if (i >= 0) {
                              all.countDown();
                              await(all);
                              throw new IllegalStateException("enough");
                            }
                          }))
          .hasMessage("enough");
    }
    assertThat(least).hasValue(0);
  }

  private static final int LONGER_THAN_CALLERS_SPIN = 20_000;

  /**
   * Compiled code finds on entry whether there is room for all that was inlined into it, the probe
   * of the stack too: a task that takes no more than that would never meet the end.
   */
  private static final int DEEPER_THAN_ANY_PROBE = 1_000;

  enum Source {
    OWN,
    FORK_JOIN,
    THREAD_POOL
  }

  /**
   * Wherever the caller's stack ends, no helper is inside when the error comes out, no lock is left
   * taken, and other threads go on.
   */
  @ParameterizedTest
  @EnumSource
  void theEndOfTheStackLeavesNothingBehind(Source source) throws InterruptedException {
    try (ExecutorService executor =
        source == Source.THREAD_POOL ? Executors.newFixedThreadPool(2) : new ForkJoinPool(2)) {
      Parallel parallel = source == Source.OWN ? Parallel.ofThreads(3) : Parallel.over(executor, 3);
      AtomicInteger inside = new AtomicInteger();
      AtomicInteger insideAfterwards = new AtomicInteger();
      AtomicInteger overflows = new AtomicInteger();
      AtomicInteger helped = new AtomicInteger(); // tasks of one climb that helpers did
      BooleanSupplier call =
          () -> {
            Thread caller = Thread.currentThread();
            try {
              parallel.forEach(
                  20,
                  _ -> {
                    int helpers = Thread.currentThread().equals(caller) ? 0 : 1;
                    inside.getAndAdd(helpers);
                    helped.getAndAdd(helpers);
                    try {
                      countDown(DEEPER_THAN_ANY_PROBE);
                      for (int turn = 0; turn < helpers * LONGER_THAN_CALLERS_SPIN; turn++) {
                        Thread.onSpinWait();
                      }
                    } finally {
                      inside.getAndAdd(-helpers);
                    }
                  });
            } catch (StackOverflowError e) {
              overflows.incrementAndGet();
              throw e;
            } finally {
              insideAfterwards.accumulateAndGet(inside.get(), Math::max);
            }
            return helped.get() > 20;
          };
      for (int i = 0; i < 8; i++) {
        int padding = i;
        helped.set(0);
        Runnable climb = () -> climb(padding, 0, call);
        Thread deep = // one that sleeps in a call, and one that leaves its carrier
            i % 2 == 0
                ? new Thread(null, climb, "deep", 1 << 18)
                : Thread.ofVirtual().unstarted(climb);
        deep.start();
        assertThat(joins(deep)).as("a thread that met the end of its stack ended").isTrue();
        Thread other = new Thread(() -> parallel.forEach(20, _ -> countDown(50)));
        other.start();
        assertThat(joins(other)).as("another thread's call returned").isTrue();
      }
      assertThat(overflows).hasPositiveValue();
      assertThat(insideAfterwards).hasValue(0);
    }
  }

  /** Frames of other sizes first, so that the end lies elsewhere. */
  private static boolean climb(int padding, long value, BooleanSupplier call) {
    return padding == 0 ? deeper(0, call) : climb(padding - 1, value + 1, call) && value >= 0;
  }

  /** To the end of the stack, and on the way back calls now and then until it says enough. */
  @SuppressWarnings("InfiniteRecursion") // ends where the stack does
  private static boolean deeper(int depth, BooleanSupplier call) {
    boolean done;
    try {
      done = deeper(depth + 1, call);
    } catch (StackOverflowError e) {
      done = false;
    }
    if (!done && depth % 7 == 0) {
      try {
        done = call.getAsBoolean();
      } catch (StackOverflowError e) {
        done = false;
      }
    }
    return done;
  }

  private static int countDown(int n) {
    return n == 0 ? 0 : 1 + countDown(n - 1);
  }

  /** As only code that hides them from the compiler can. */
  @Test
  void checkedExceptionsComeWrapped() {
    IOException hidden = new IOException("hidden");

    assertThatThrownBy(() -> Parallel.ofThreads(2).forEach(2, _ -> ParallelTest.hide(hidden)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a parallel task failed")
        .hasCause(hidden);
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void hide(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void refusesFewerThreadsThanOne(int threads) {
    assertThatThrownBy(() -> Parallel.ofThreads(threads))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads is " + threads + " (expected 1 or more)");
  }

  @Test
  void refusesNoPool() {
    assertThatThrownBy(() -> Parallel.over(null, 2)).isInstanceOf(NullPointerException.class);
  }

  private static final class ClosedPool {
    final ForkJoinPool pool = new ForkJoinPool(2);

    ClosedPool() {
      pool.close();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean joins(Thread thread) {
    try {
      return thread.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
