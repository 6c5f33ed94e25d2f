package dev.switchyard.mpi;

import static dev.switchyard.mpi.MpiAbi.HANDLE;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/** The functions of MPI that are used here, with errors as exceptions. */
final class MpiCalls {
  private static final int SUCCESS = 0;
  private static final int FUNNELED = 1; // MPI_THREAD_FUNNELED: one thread of many calls
  private static final int LONGEST_ERROR = 1024;

  private final MpiLibrary library;
  private final MpiAbi abi;
  private final MethodHandle barrier;
  private final MethodHandle allReduce;
  private final MethodHandle broadcast;
  private final MethodHandle startAllReduce;
  private final MethodHandle startAllToAll;
  private final MethodHandle startAllGather;
  private final MethodHandle test;
  private final MethodHandle await;

  MpiCalls(MpiLibrary library) {
    this.library = library;
    this.abi = library.abi();
    this.barrier = library.function("MPI_Barrier", HANDLE);
    this.allReduce =
        library.function("MPI_Allreduce", ADDRESS, ADDRESS, JAVA_INT, HANDLE, HANDLE, HANDLE);
    this.broadcast = library.function("MPI_Bcast", ADDRESS, JAVA_INT, HANDLE, JAVA_INT, HANDLE);
    this.startAllReduce =
        library.function(
            "MPI_Iallreduce", ADDRESS, ADDRESS, JAVA_INT, HANDLE, HANDLE, HANDLE, ADDRESS);
    this.startAllToAll = started("MPI_Ialltoall");
    this.startAllGather = started("MPI_Iallgather");
    this.test = library.function("MPI_Test", ADDRESS, ADDRESS, ADDRESS);
    this.await = library.function("MPI_Wait", ADDRESS, ADDRESS);
  }

  private MethodHandle started(String name) {
    return library.function(
        name, ADDRESS, JAVA_INT, HANDLE, ADDRESS, JAVA_INT, HANDLE, HANDLE, ADDRESS);
  }

  MpiLibrary library() {
    return library;
  }

  /** Starts MPI; from now on this thread alone may call it. */
  void start() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment provided = arena.allocate(JAVA_INT);
      MethodHandle init = library.function("MPI_Init_thread", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
      check(
          "MPI_Init_thread",
          (int) init.invokeExact(MemorySegment.NULL, MemorySegment.NULL, FUNNELED, provided));
      int level = provided.get(JAVA_INT, 0);
      if (level < FUNNELED) {
        throw new CollectiveException(
            String.format(
                Locale.ROOT,
                "%s offers thread level %d (expected MPI_THREAD_FUNNELED, %d, or more: a Java"
                    + " process has many threads)",
                library.title(),
                level,
                FUNNELED));
      }
      MethodHandle handler = library.function("MPI_Comm_set_errhandler", HANDLE, HANDLE);
      check("MPI_Comm_set_errhandler", (int) handler.invokeExact(abi.world(), abi.errorsReturn()));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  int rank() {
    return number("MPI_Comm_rank");
  }

  int size() {
    return number("MPI_Comm_size");
  }

  private int number(String function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      MethodHandle handle = library.function(function, HANDLE, ADDRESS);
      check(function, (int) handle.invokeExact(abi.world(), number));
      return number.get(JAVA_INT, 0);
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void barrier(long line) {
    try {
      check("MPI_Barrier", (int) barrier.invokeExact(line));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void sumDoubles(MemorySegment values, long line) {
    try {
      int count = count(values.byteSize() / Double.BYTES);
      check(
          "MPI_Allreduce",
          (int)
              allReduce.invokeExact(abi.inPlace(), values, count, abi.doubles(), abi.sum(), line));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void broadcast(int root, MemorySegment data, long line) {
    try {
      int count = count(data.byteSize());
      check("MPI_Bcast", (int) broadcast.invokeExact(data, count, abi.bytes(), root, line));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void startSum(MemorySegment send, MemorySegment receive, long line, MemorySegment request) {
    try {
      int count = count(send.byteSize() / Float.BYTES);
      check(
          "MPI_Iallreduce",
          (int)
              startAllReduce.invokeExact(
                  send, receive, count, abi.floats(), abi.sum(), line, request));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void startExchange(
      MemorySegment send, MemorySegment receive, int size, long line, MemorySegment request) {
    startParts("MPI_Ialltoall", startAllToAll, send, receive, size, line, request);
  }

  void startGather(
      MemorySegment send, MemorySegment receive, int size, long line, MemorySegment request) {
    startParts("MPI_Iallgather", startAllGather, send, receive, size, line, request);
  }

  /** A part of {@code receive} comes from each process, and is as long as one that is sent. */
  private void startParts(
      String name,
      MethodHandle start,
      MemorySegment send,
      MemorySegment receive,
      int size,
      long line,
      MemorySegment request) {
    try {
      int count = count(receive.byteSize() / size);
      check(
          name,
          (int)
              start.invokeExact(
                  send, count, abi.bytes(), receive, count, abi.bytes(), line, request));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  boolean isDone(MemorySegment request, MemorySegment flag) {
    try {
      check("MPI_Test", (int) test.invokeExact(request, flag, abi.ignoreStatus()));
      return flag.get(JAVA_INT, 0) != 0;
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void await(MemorySegment request) {
    try {
      check("MPI_Wait", (int) await.invokeExact(request, abi.ignoreStatus()));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  /** A communicator of the same processes. */
  long duplicate(long line) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(MpiAbi.REQUEST);
      MethodHandle handle = library.function("MPI_Comm_dup", HANDLE, ADDRESS);
      check("MPI_Comm_dup", (int) handle.invokeExact(line, copy));
      return abi.handle() instanceof ValueLayout.OfLong wide
          ? copy.get(wide, 0)
          : copy.get(JAVA_INT, 0);
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  /** Gives back a communicator; exchanges under way still come to their end. */
  void free(long line) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(MpiAbi.REQUEST);
      if (abi.handle() instanceof ValueLayout.OfLong wide) {
        copy.set(wide, 0, line);
      } else {
        copy.set(JAVA_INT, 0, (int) line);
      }
      MethodHandle handle = library.function("MPI_Comm_free", ADDRESS);
      check("MPI_Comm_free", (int) handle.invokeExact(copy));
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void abort(int exitCode) {
    try {
      MethodHandle handle = library.function("MPI_Abort", HANDLE, JAVA_INT);
      int _ = (int) handle.invokeExact(abi.world(), exitCode);
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  void end() {
    try {
      MethodHandle handle = library.function("MPI_Finalize");
      check("MPI_Finalize", (int) handle.invokeExact());
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  private static int count(long elements) {
    if (elements > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "an exchange of " + elements + " elements (expected at most " + Integer.MAX_VALUE + ")");
    }
    return (int) elements;
  }

  private void check(String function, int code) throws Throwable {
    if (code == SUCCESS) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LONGEST_ERROR);
      MethodHandle handle = library.function("MPI_Error_string", JAVA_INT, ADDRESS, ADDRESS);
      int _ = (int) handle.invokeExact(code, text, arena.allocate(JAVA_INT));
      throw new CollectiveException(function + " failed: " + text.getString(0));
    }
  }

  private static RuntimeException failure(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new CollectiveException("MPI cannot be called: " + e, e);
    };
  }
}
