package dev.switchyard.kernels.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkspacesTest {
  private final AtomicInteger made = new AtomicInteger();
  private final Workspaces<AtomicBoolean> workspaces =
      new Workspaces<>(
          () -> {
            made.incrementAndGet();
            return new AtomicBoolean();
          });

  @Test
  void whatIsGivenBackIsTakenAgain() {
    AtomicBoolean first = workspaces.take();
    AtomicBoolean second = workspaces.take();
    assertThat(second).isNotSameAs(first);
    workspaces.giveBack(first);
    workspaces.giveBack(second);
    assertThat(List.of(workspaces.take(), workspaces.take()))
        .containsExactlyInAnyOrder(first, second);
    assertThat(made).hasValue(2);
  }

  /** As work that failed does: what it left is not found. */
  @Test
  void whatIsNotGivenBackIsGone() {
    AtomicBoolean failed = workspaces.take();
    assertThat(workspaces.take()).isNotSameAs(failed);
  }

  @Test
  void onlyAFewAProcessorAreKept() {
    List<AtomicBoolean> taken = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      taken.add(workspaces.take());
    }
    taken.forEach(workspaces::giveBack);
    Set<AtomicBoolean> kept = new HashSet<>();
    for (int i = 0; i < 5_000; i++) {
      AtomicBoolean next = workspaces.take();
      if (taken.contains(next)) {
        kept.add(next);
      }
    }
    int processors = Runtime.getRuntime().availableProcessors();
    assertThat(kept).hasSizeBetween(16, Math.max(16, 8 * processors));
  }

  /** And no thread needs more than one of its own. */
  @Test
  void eachIsHeldByOneThreadAtATime() throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        all.add(
            executor.submit(
                () -> {
                  for (int n = 0; n < 20_000; n++) {
                    AtomicBoolean held = workspaces.take();
                    assertThat(held.getAndSet(true)).isFalse();
                    held.set(false);
                    workspaces.giveBack(held);
                  }
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertThat(made.get()).isBetween(1, 16);
  }

  /** A thread that lives as long as a call may not cost as much memory as one that stays. */
  @Test
  void manyVirtualThreadsShareNativeMemory() {
    Kernels kernels = Kernels.create(Parallel.serial());
    FloatMatrix x = FloatMatrix.allocate(20, 64);
    Arrays.fill(x.data(), 1);
    PackedMatrix packed = new PackedMatrix();
    kernels.pack(ElementType.FLOAT32, Form.NN, FloatMatrix.allocate(64, 40), packed);
    Runnable work =
        () -> {
          QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);
          kernels.quantize(x, q);
          kernels.multiply(x, packed, Epilogue.STORE, FloatMatrix.allocate(20, 40));
        };
    long before = nativeBytes();
    AtomicInteger done = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 10_000; i++) {
        executor.execute(
            () -> {
              work.run();
              most.accumulateAndGet((int) (nativeBytes() - before), Math::max);
              done.incrementAndGet();
            });
      }
    }
    assertThat(done).hasValue(10_000);
    // A workspace takes 31 KB. One that was made while all others were in use may still be garbage.
    int processors = Runtime.getRuntime().availableProcessors();
    assertThat(most.get()).isLessThan((32 + 12 * processors) * 40_000);
  }

  /** What Java has allocated beside its heap. */
  private static long nativeBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
