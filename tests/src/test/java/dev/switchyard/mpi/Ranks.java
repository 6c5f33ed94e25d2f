package dev.switchyard.mpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** What each process of {@link RanksTest} does. */
final class Ranks {
  private Ranks() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("stops")) {
      Mpi.run(mpi -> new RanksWithNan(mpi, NonFinitePolicy.REJECT).step(true));
      return;
    }
    Mpi mpi = Mpi.join();
    try {
      for (String what : arguments) {
        switch (what) {
          case "exchanges" -> exchanges(mpi);
          case "training" -> new RanksInTraining(mpi).run();
          case "refusals" -> refusals(mpi);
          case "failures" -> RanksWithNan.goOn(mpi);
          default -> throw new IllegalArgumentException(what);
        }
        System.out.println(what + " done");
      }
    } catch (Throwable e) {
      e.printStackTrace();
      mpi.abort(1); // the others would wait for this one
    }
    mpi.close();
    assertThatThrownBy(mpi::barrier)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this process has left the others: it was closed");
    System.out.println("left");
  }

  private static void exchanges(Mpi mpi) {
    int rank = mpi.rank();
    int size = mpi.size();
    assertThat(mpi.title()).contains("MPI");
    double[] values = {rank + 1, 0.5};
    mpi.sum(values);
    assertThat(values).containsExactly(size * (size + 1) / 2.0, 0.5 * size);

    // Lengths that differ, one of them 0.
    byte[] mine = "x".repeat(rank * 1000).getBytes(StandardCharsets.US_ASCII);
    List<byte[]> all = mpi.gather(mine);
    assertThat(all).hasSize(size);
    for (int from = 0; from < size; from++) {
      assertThat(all.get(from)).hasSize(from * 1000);
    }

    // More than one chunk, on the heap and off it, from the last process.
    float[] heap = new float[700_001];
    java.util.Arrays.fill(heap, rank);
    mpi.broadcast(size - 1, MemorySegment.ofArray(heap));
    assertThat(heap).containsOnly(size - 1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nativeBytes = arena.allocate(3_000_001);
      nativeBytes.fill((byte) rank);
      mpi.broadcast(0, nativeBytes);
      assertThat(nativeBytes.mismatch(arena.allocate(3_000_001))).isEqualTo(-1);

      // Two exchanges under way, ended in the other order, on two lines begun in different orders.
      Collective other = mpi.duplicate();
      MemorySegment terms = arena.allocateFrom(ValueLayout.JAVA_FLOAT, rank, 2, 3);
      MemorySegment sum = arena.allocate(terms.byteSize());
      MemorySegment send = arena.allocate(8L * size);
      MemorySegment receive = arena.allocate(8L * size);
      for (int to = 0; to < size; to++) {
        send.setAtIndex(ValueLayout.JAVA_LONG, to, 10 * rank + to);
      }
      Collective.Pending summing;
      Collective.Pending exchanging;
      if (rank == 0) {
        summing = mpi.startSum(terms, sum);
        exchanging = other.startExchange(send, receive);
      } else {
        exchanging = other.startExchange(send, receive);
        summing = mpi.startSum(terms, sum);
      }
      exchanging.await();
      while (!summing.isDone()) {
        Thread.onSpinWait();
      }
      assertThat(summing.isDone()).isTrue();
      for (int from = 0; from < size; from++) {
        assertThat(receive.getAtIndex(ValueLayout.JAVA_LONG, from)).isEqualTo(10 * from + rank);
      }
      assertThat(sum.toArray(ValueLayout.JAVA_FLOAT))
          .containsExactly(size * (size - 1) / 2f, 2 * size, 3 * size);
      other.close();
      other.close();
      assertThatThrownBy(other::barrier)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this line between the processes was closed");
      MemorySegment gathered = arena.allocate(8L * size);
      mpi.startGather(send.asSlice(0, 8), gathered).await();
      for (int from = 0; from < size; from++) {
        assertThat(gathered.getAtIndex(ValueLayout.JAVA_LONG, from)).isEqualTo(10L * from);
      }
    }
    mpi.barrier();
  }

  private static void rowsOfOtherLengths(Mpi mpi) {
    int cols = mpi.rank() == 0 ? 2 : 3;
    int first = mpi.rank() == 0 ? 1 : 0; // of the others
    Tape tape = Tape.recording(Kernels.create(Parallel.serial()));
    Tensor x = Tensor.of(FloatMatrix.allocate(1, cols));
    assertThatThrownBy(() -> new GatheredRows(mpi).forward(tape, x))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "process %d has rows of %d values but those here have %d (expected the same)",
            first, 5 - cols, cols);
  }

  @SuppressWarnings("restricted") // memory that is not there
  private static void refusals(Mpi mpi) throws InterruptedException {
    Agreement.require(mpi, Map.of("seed", "1", "model", "a"));
    String last = mpi.rank() == mpi.size() - 1 ? "2" : "1";
    assertThatThrownBy(() -> Agreement.require(mpi, Map.of("model", "a", "seed", last)))
        .isInstanceOf(CollectiveException.class)
        .hasMessage(
            "process %d has seed 2 but process 0 has 1 (expected the same everywhere)",
            mpi.size() - 1);

    try (Arena arena = Arena.ofConfined()) {
      MemorySegment odd = arena.allocate(7);
      assertThatThrownBy(() -> mpi.startGather(odd, odd))
          .hasMessage(
              "7 bytes to send and 7 to receive (expected 1 and %d equal parts)", mpi.size());
      MemorySegment memory = arena.allocate(12);
      for (MemorySegment receive : List.of(memory.asSlice(4, 8), arena.allocate(8).asReadOnly())) {
        assertThatThrownBy(() -> mpi.startSum(memory.asSlice(0, 8), receive))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("expected memory that can be written, apart from what is sent");
      }
    }
    MemorySegment huge = MemorySegment.ofAddress(1L << 40).reinterpret(1L << 33); // never touched
    MemorySegment sum = MemorySegment.ofAddress(1L << 41).reinterpret(1L << 33);
    assertThatThrownBy(() -> mpi.startSum(huge, sum))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("an exchange of 2147483648 elements (expected at most 2147483647)");
    assertThatThrownBy(() -> mpi.broadcast(mpi.size(), MemorySegment.ofArray(new byte[1])))
        .isInstanceOf(CollectiveException.class)
        .hasMessageStartingWith("MPI_Bcast failed: ");
    rowsOfOtherLengths(mpi);
    MemorySegment onHeap = MemorySegment.ofArray(new float[4]);
    assertThatThrownBy(() -> mpi.startSum(onHeap, MemorySegment.ofArray(new float[4])))
        .hasMessageContaining("Heap segment");

    Throwable[] thrown = new Throwable[1];
    Thread thread =
        new Thread(
            () -> {
              try {
                mpi.barrier();
              } catch (IllegalStateException e) {
                thrown[0] = e;
              }
            },
            "other");
    thread.start();
    thread.join();
    assertThat(thrown[0])
        .hasMessage(
            "thread other exchanges data but MPI was started by thread main (expected the same)");
  }
}
