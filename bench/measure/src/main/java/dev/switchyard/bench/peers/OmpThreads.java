package dev.switchyard.bench.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;

/**
 * Limits the threads of a library that uses OpenMP, whose number {@code OMP_NUM_THREADS} fixes when
 * the process starts: before the command line is read. OpenMP has a function for it, which the Java
 * binding of the library does not offer, so it is bound here, from the very library that was
 * loaded.
 */
final class OmpThreads {
  private static final String LIBRARY = "gomp@.1";

  private OmpThreads() {}

  /**
   * Sets the threads of what the calling thread starts from now on.
   *
   * @throws IllegalStateException if that is not possible
   */
  static void limit(int threads) {
    String file = Loader.getLoadedLibraries().get(LIBRARY);
    if (file == null) {
      throw new IllegalStateException(
          "its threads cannot be limited, as it does not use the OpenMP that it comes with");
    }
    SymbolLookup omp = lookup(file);
    int actual;
    try {
      bind(omp, "omp_set_num_threads", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
          .invoke(threads);
      actual =
          (int)
              bind(omp, "omp_get_max_threads", FunctionDescriptor.of(ValueLayout.JAVA_INT))
                  .invoke();
    } catch (Throwable e) {
      throw new IllegalStateException("its threads cannot be limited: " + e, e);
    }
    if (actual != threads) {
      throw new IllegalStateException(
          "it was limited to " + threads + " threads but would use " + actual);
    }
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup lookup(String file) {
    return SymbolLookup.libraryLookup(Path.of(file), Arena.global());
  }

  @SuppressWarnings("restricted")
  private static MethodHandle bind(SymbolLookup omp, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(omp.findOrThrow(name), type);
  }
}
