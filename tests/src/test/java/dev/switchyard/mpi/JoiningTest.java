package dev.switchyard.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.OtherJvm;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user is told who starts a process the wrong way, or without an MPI. */
@SuppressWarnings("restricted") // a library of its own
class JoiningTest {
  @TempDir private Path folder;

  /** Joins, and prints the sentence of what goes wrong. */
  static final class Joining {
    public static void main(String[] arguments) {
      try {
        System.out.println("joined " + Mpi.join().size());
      } catch (CollectiveException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  private String join(Map<String, String> environment, String... flags) throws Exception {
    List<String> command = new ArrayList<>(List.of("env"));
    environment.forEach((name, value) -> command.add(name + "=" + value));
    command.addAll(OtherJvm.command(Joining.class, flags));
    return OtherJvm.finish(folder, command).output();
  }

  @Test
  void aProcessByItselfIsRefused() {
    assertThat(Mpi.isLaunched()).isFalse();
    assertThatThrownBy(Mpi::join)
        .isInstanceOf(CollectiveException.class)
        .hasMessage(
            "this process was started by itself (expected several, as in mpirun -np 2 java ...)");
  }

  @Test
  void whatIsMissingIsSaid() throws Exception {
    Map<String, String> launched = Map.of("PMI_SIZE", "2");
    assertThat(join(launched, "--illegal-native-access=deny"))
        .contains(
            "refused: this JVM may not call an MPI library (expected the flag"
                + " --enable-native-access=ALL-UNNAMED)");
    String access = "--enable-native-access=ALL-UNNAMED";
    assertThat(join(launched, access, "-Dswitchyard.mpi=/nowhere/libmpi.so"))
        .contains(
            "refused: no MPI library was found (expected Open MPI or MPICH, or its path in"
                + " -Dswitchyard.mpi): /nowhere/libmpi.so: cannot open");
    assertThat(join(launched, access, "-Dswitchyard.mpi=libm.so.6"))
        .contains("refused: libm.so.6 is no MPI library: it has no MPI_Get_library_version");
  }

  @Test
  void theLibraryOfAnotherLauncherIsFoundOut() throws Exception {
    MpiRun.OPEN_MPI.require();
    assertThat(
            join(
                Map.of(
                    "PMI_SIZE", "5",
                    "OMPI_MCA_oob_tcp_if_include", "lo",
                    "OMPI_ALLOW_RUN_AS_ROOT", "1",
                    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
                "--enable-native-access=ALL-UNNAMED",
                "-Dswitchyard.mpi=libmpi.so.40"))
        .contains("refused: MPICH's mpiexec started 5 processes but Open MPI v")
        .contains("sees 1 (expected the library of the launcher)");
  }

  @Test
  void launchersAreKnownByTheirVariables() {
    assertThat(Launcher.find(Map.of())).isEmpty();
    assertThat(Launcher.find(Map.of("OMPI_COMM_WORLD_SIZE", "4")).orElseThrow().size())
        .isEqualTo(4);
    assertThat(Launcher.find(Map.of("PMI_SIZE", "3")).orElseThrow().name())
        .isEqualTo("MPICH's mpiexec");
    assertThat(Launcher.find(Map.of("PMIX_RANK", "1")).orElseThrow().size()).isZero();
    assertThat(Launcher.find(Map.of("PMI_SIZE", "many")).orElseThrow().size()).isZero();
    assertThatThrownBy(() -> MpiAbi.of("HP-MPI 2", "libmpi.so.1", _ -> java.util.Optional.empty()))
        .hasMessage(
            "libmpi.so.1 is \"HP-MPI 2\", whose binary interface is not known (expected Open MPI,"
                + " or MPICH or one compatible with it)");
  }

  /** A library whose functions are those of this class. */
  @Test
  void anMpiForOneThreadIsRefused() throws ReflectiveOperationException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment version = function(arena, "version", ADDRESS, ADDRESS);
      MemorySegment start = function(arena, "start", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
      MpiCalls calls =
          new MpiCalls(
              new MpiLibrary(
                  "fake.so",
                  name -> Optional.of(name.equals("MPI_Get_library_version") ? version : start)));

      assertThatThrownBy(calls::start)
          .isInstanceOf(CollectiveException.class)
          .hasMessage(
              "MPICH of one thread (fake.so) offers thread level 0 (expected MPI_THREAD_FUNNELED,"
                  + " 1, or more: a Java process has many threads)");
    }
  }

  /** A library that takes the place of a handler, as UCX does, and then fails. */
  @Test
  void aLibraryThatFailsLeavesNoHandlerBehind() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment version = function(arena, "version", ADDRESS, ADDRESS);
      MemorySegment start =
          function(arena, "takesAHandlerAndFails", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
      long before = handler();

      assertThatThrownBy(
              () ->
                  Mpi.start(
                      () ->
                          new MpiLibrary(
                              "fake.so",
                              name ->
                                  Optional.of(
                                      name.equals("MPI_Get_library_version") ? version : start))))
          .isInstanceOf(CollectiveException.class)
          .hasMessageStartingWith("MPI_Init_thread failed: ");

      assertThat(taken).isEqualTo(before).isNotZero();
      assertThat(handler()).isEqualTo(before);
    }
  }

  private static final int SIGILL = 4; // no code of these tests needs it
  private static long taken;

  static int takesAHandlerAndFails(
      MemorySegment argc, MemorySegment argv, int required, MemorySegment provided) {
    try {
      taken = taken == 0 ? handler() : taken; // the library is asked for a sentence too
      MemorySegment ignore = Arena.global().allocate(256, Long.BYTES); // SIG_DFL
      int _ = (int) sigaction().invokeExact(SIGILL, ignore, MemorySegment.NULL);
      return 17;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle sigaction() {
    return Linker.nativeLinker()
        .downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }

  /** The address of the function that handles a signal, which comes first. */
  private static long handler() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(256, Long.BYTES);
      int _ = (int) sigaction().invokeExact(SIGILL, MemorySegment.NULL, action);
      return action.get(java.lang.foreign.ValueLayout.JAVA_LONG, 0);
    }
  }

  private static MemorySegment function(Arena arena, String name, MemoryLayout... parameters)
      throws ReflectiveOperationException {
    FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT, parameters);
    MethodHandle handle =
        MethodHandles.lookup().findStatic(JoiningTest.class, name, descriptor.toMethodType());
    return Linker.nativeLinker().upcallStub(handle, descriptor, arena);
  }

  static int version(MemorySegment text, MemorySegment length) {
    text.reinterpret(100).setString(0, "MPICH of one thread");
    return 0;
  }

  static int start(MemorySegment argc, MemorySegment argv, int required, MemorySegment provided) {
    provided.reinterpret(Integer.BYTES).set(JAVA_INT, 0, 0);
    return 0;
  }

  @Test
  void aProcessAloneHasNobodyToWaitFor() {
    SingleProcess alone = new SingleProcess();
    try (Arena arena = Arena.ofConfined()) {
      double[] values = {2};
      alone.sum(values);
      alone.barrier();
      alone.broadcast(0, MemorySegment.ofArray(values));
      assertThat(values).containsExactly(2);
      assertThat(alone.gather(new byte[] {7})).containsExactly(new byte[] {7});
      MemorySegment send = arena.allocateFrom("text");
      MemorySegment receive = arena.allocate(send.byteSize());
      assertThat(alone.startExchange(send, receive).isDone()).isTrue();
      assertThat(receive.getString(0)).isEqualTo("text");
      assertThat(alone.duplicate().size()).isEqualTo(1);
      Agreement.require(alone, Map.of("seed", "1"));
    }
  }
}
