package dev.switchyard.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An MPI library in this process, and its functions. Handles (communicators, types, operations) are
 * longs here, whatever the library takes them to be.
 */
@SuppressWarnings("restricted") // Mpi has asked for native access
final class MpiLibrary {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final int NOW = 2;

  /** Global: the plugins that the library opens in turn look for its symbols there. */
  private static final int GLOBAL = System.getProperty("os.name").startsWith("Mac") ? 8 : 0x100;

  private static final int LONGEST_STRING = 8192; // of both families

  private final String name;
  private final SymbolLookup symbols;
  private final String version;
  private final MpiAbi abi;

  MpiLibrary(String name, SymbolLookup symbols) {
    this.name = name;
    this.symbols = symbols;
    this.version = version(symbols, name);
    this.abi = MpiAbi.of(version, name, symbols);
  }

  /**
   * Opens the first library that there is.
   *
   * @param names file names or paths
   * @throws CollectiveException if there is none, or it is of a kind that is not known
   */
  static MpiLibrary open(List<String> names) {
    List<String> failures = new ArrayList<>();
    for (String name : names) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment library =
            (MemorySegment) DynamicLoader.OPEN.invokeExact(arena.allocateFrom(name), NOW | GLOBAL);
        if (!library.equals(MemorySegment.NULL)) {
          return new MpiLibrary(name, SymbolLookup.libraryLookup(name, Arena.global()));
        }
        failures.add(DynamicLoader.error());
      } catch (CollectiveException e) {
        throw e;
      } catch (Throwable e) {
        throw new CollectiveException(name + " cannot be opened: " + e, e);
      }
    }
    throw new CollectiveException(
        "no MPI library was found (expected Open MPI or MPICH, or its path in -Dswitchyard.mpi): "
            + String.join("; ", failures));
  }

  private static String version(SymbolLookup symbols, String name) {
    MethodHandle function =
        symbols
            .find("MPI_Get_library_version")
            .map(
                address ->
                    LINKER.downcallHandle(
                        address, FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS)))
            .orElseThrow(
                () ->
                    new CollectiveException(
                        name + " is no MPI library: it has no MPI_Get_library_version"));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LONGEST_STRING);
      int _ = (int) function.invokeExact(text, arena.allocate(JAVA_INT));
      return text.getString(0).lines().findFirst().orElse("").strip();
    } catch (Throwable e) {
      throw new CollectiveException("the version of " + name + " cannot be read: " + e, e);
    }
  }

  /** What the library calls itself, on one line, with its file. */
  String title() {
    return version + " (" + name + ")";
  }

  MpiAbi abi() {
    return abi;
  }

  /**
   * A function that returns an error code.
   *
   * @param function its name
   * @param parameters its parameters; {@link MpiAbi#HANDLE} for a handle, which is then a long
   */
  MethodHandle function(String function, MemoryLayout... parameters) {
    MemoryLayout[] layouts =
        Arrays.stream(parameters)
            .map(layout -> layout.equals(MpiAbi.HANDLE) ? abi.handle() : layout)
            .toArray(MemoryLayout[]::new);
    MethodHandle handle =
        LINKER.downcallHandle(
            symbols
                .find(function)
                .orElseThrow(() -> new CollectiveException(title() + " has no " + function)),
            FunctionDescriptor.of(JAVA_INT, layouts));
    MethodType type = handle.type();
    for (int i = 0; i < parameters.length; i++) {
      if (parameters[i].equals(MpiAbi.HANDLE)) {
        type = type.changeParameterType(i, long.class);
      }
    }
    return MethodHandles.explicitCastArguments(handle, type);
  }

  /** The functions of libc that open libraries; both found before, as finding one resets errors. */
  private static final class DynamicLoader {
    static final MethodHandle OPEN = handle("dlopen", ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle ERROR = handle("dlerror", ADDRESS);

    private static MethodHandle handle(
        String name, MemoryLayout result, MemoryLayout... parameters) {
      return LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, parameters));
    }

    static String error() throws Throwable {
      MemorySegment text = (MemorySegment) ERROR.invokeExact();
      return text.equals(MemorySegment.NULL)
          ? "no reason given"
          : text.reinterpret(LONGEST_STRING).getString(0);
    }
  }
}
