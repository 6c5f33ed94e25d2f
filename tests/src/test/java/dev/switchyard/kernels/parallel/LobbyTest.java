package dev.switchyard.kernels.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

/** Helpers that stay for the next call. */
class LobbyTest {
  private final Lobby lobby = new Lobby(1);

  private Call call() {
    return new Call(1, 1, i -> {}, lobby);
  }

  @Test
  void aCallIsShownUntilItIsHidden() {
    Call first = call();
    Call second = call();
    assertThat(lobby.show(first)).isZero();
    assertThat(lobby.next(null)).isSameAs(first);
    assertThat(lobby.next(first)).isNull(); // whoever was there does not come back
    lobby.show(second);
    lobby.hide(first); // too late: it is not shown any more
    assertThat(lobby.next(first)).isSameAs(second);
    lobby.hide(second);
    assertThat(lobby.next(first)).isNull();
  }

  @Test
  void whereThreadsOutnumberProcessorsNobodyWaits() {
    Lobby crowded = new Lobby(Integer.MAX_VALUE);
    assertThat(crowded.next(null)).isNull();
    Call call = call();
    crowded.show(call);
    assertThat(crowded.next(null)).isSameAs(call);
  }

  @Test
  void whoIsCountedTakesTheCall() throws Exception {
    int counted = 0;
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 100_000 && counted < 100; i++) {
        Future<Call> helper = executor.submit(() -> lobby.next(null));
        Call call = call();
        int waiting = lobby.show(call);
        Call taken = helper.get();
        assertThat(taken).isIn(call, waiting == 0 ? null : call);
        lobby.hide(call);
        counted += waiting;
      }
    }
    assertThat(counted).isPositive();
  }

  /** Two callers with one runner of three threads: helpers find calls of either. */
  @Test
  void callsThatFollowOneAnotherRunEachTaskOnce() throws Exception {
    AtomicInteger mostOfACall = new AtomicInteger();
    try (ExecutorService helpers = Executors.newFixedThreadPool(4);
        ExecutorService callers = Executors.newFixedThreadPool(2)) {
      Parallel parallel = Parallel.over(helpers, 3);
      List<Future<?>> both = new ArrayList<>();
      for (int caller = 0; caller < 2; caller++) {
        both.add(
            callers.submit(
                () -> {
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
                }));
      }
      for (Future<?> caller : both) {
        caller.get();
      }
    }
    assertThat(mostOfACall.get()).isBetween(1, 3);
  }
}
