package dev.switchyard.kernels.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Helpers that stay for the next call. */
@Timeout(60)
class HelpersTest {
  /** Runs a call of two tasks, both at once, so that a helper has to do one; who that was. */
  private static Thread helperOf(Parallel parallel, Runnable also) {
    CountDownLatch both = new CountDownLatch(2);
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    Thread caller = Thread.currentThread();
    parallel.forEach(
        2,
        _ -> {
          both.countDown();
          await(both);
          if (Thread.currentThread() != caller) {
            threads.add(Thread.currentThread());
            also.run();
          }
        });
    assertThat(threads).hasSize(1);
    return threads.iterator().next();
  }

  private static Thread helperOf(Parallel parallel) {
    return helperOf(parallel, () -> {});
  }

  /** Whether it looks for calls, as it does at first, or sleeps. */
  @Test
  void aHelperOfOursTakesTheNextCallOfAnyRunner() {
    Thread helper = helperOf(Parallel.ofThreads(2));
    for (int i = 0; i < 50; i++) {
      while (i % 10 == 9 && helper.isAlive() && helper.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      helper = helperOf(Parallel.ofThreads(2 + i % 2));
      assertThat(helper.getName()).startsWith("switchyard-");
      assertThat(helper.isDaemon()).isTrue();
    }
  }

  /** The executor gets its thread back, or it could do nothing else. */
  @Test
  void aLentHelperGoesBack() {
    try (ThreadPoolExecutor executor = (ThreadPoolExecutor) Executors.newFixedThreadPool(1)) {
      Parallel parallel = Parallel.over(executor, 2);
      for (int i = 0; i < 20; i++) {
        helperOf(parallel);
      }
      while (executor.getActiveCount() > 0) {
        Thread.onSpinWait(); // the test's time limit ends it
      }
      assertThat(executor.getTaskCount()).isBetween(1L, 20L);
    }
  }

  /** Nothing of the application that happens to call first must stay reachable from one. */
  @Test
  @SuppressWarnings("ThreadLocalUsage") // one a test
  void helpersOfOursEndWhenIdleAndTakeNothingFromTheirFirstCaller() throws Exception {
    Thread helper = helperOf(Parallel.ofThreads(2));
    helper.join();
    InheritableThreadLocal<Object> inherited = new InheritableThreadLocal<>();
    ClassLoader application = new ClassLoader() {};
    List<Object> seen = new ArrayList<>();
    Thread caller =
        new Thread(
            () -> {
              inherited.set(application);
              helperOf(
                  Parallel.ofThreads(2),
                  () -> {
                    seen.add(Thread.currentThread().equals(helper));
                    seen.add(application.equals(Thread.currentThread().getContextClassLoader()));
                    seen.add(application.equals(inherited.get()));
                  });
            });
    caller.setContextClassLoader(application);
    caller.start();
    caller.join();
    assertThat(seen).containsExactly(false, false, false);
  }

  /** Callers whose helpers are the same threads: helpers find calls of any. */
  @Test
  void callsThatFollowOneAnotherRunEachTaskOnce() throws Exception {
    AtomicInteger mostOfACall = new AtomicInteger();
    try (ExecutorService helpers = Executors.newFixedThreadPool(4);
        ExecutorService callers = Executors.newFixedThreadPool(4)) {
      Parallel both = Parallel.over(helpers, 3);
      List<Future<?>> all = new ArrayList<>();
      for (Parallel parallel :
          List.of(both, both, Parallel.over(helpers, 2), Parallel.ofThreads(3))) {
        all.add(callers.submit(() -> callOften(parallel, mostOfACall)));
      }
      for (Future<?> caller : all) {
        caller.get();
      }
    }
    assertThat(mostOfACall.get()).isBetween(1, 3);
  }

  private static void callOften(Parallel parallel, AtomicInteger mostOfACall) {
    for (int round = 0; round < 3_000; round++) {
      AtomicIntegerArray runs = new AtomicIntegerArray(7);
      AtomicInteger now = new AtomicInteger();
      parallel.forEach(
          7,
          i -> {
            mostOfACall.accumulateAndGet(now.incrementAndGet(), Math::max);
            runs.incrementAndGet(i);
            now.decrementAndGet();
          });
      for (int i = 0; i < 7; i++) {
        assertThat(runs.get(i)).isEqualTo(1);
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
