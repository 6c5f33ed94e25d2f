package dev.switchyard.kernels;

import java.util.Optional;

/**
 * What compiles Java to machine code here. Only C2 knows the operations of the JDK Vector API as
 * instructions; where it does not compile, each is a call that makes objects, tens of times as
 * slow.
 */
final class JitCompiler {
  private JitCompiler() {}

  /** Why vectors are slow here, as a clause about this JVM; empty where they are not. */
  static Optional<String> slowsVectors() {
    return slowsVectors(
        System.getProperty("java.vm.info", ""), System.getProperty("java.vm.version", ""));
  }

  /** The same for what a JVM says of itself. */
  static Optional<String> slowsVectors(String info, String version) {
    if (info.contains("interpreted mode")) {
      return Optional.of("it interprets all code (-Xint)");
    }
    if (info.contains("emulated-client")) {
      return Optional.of("it runs without its compiler C2 (-XX:TieredStopAtLevel)");
    }
    if (version.contains("jvmci")) {
      return Optional.of("another compiler takes the place of C2 (JVMCI)");
    }
    return Optional.empty();
  }
}
