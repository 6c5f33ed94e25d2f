package dev.switchyard.bench.doctor;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.PeakLoop;
import java.util.ArrayList;
import java.util.List;

/**
 * What could make Switchyard faster on this machine.
 *
 * @param forced the value of the property that forces a backend, or null
 * @param incubator whether the JVM has the Vector API
 * @param nativeAccess whether it was told to let Switchyard call machine code
 * @param backend the name of the backend that runs
 * @param int8 the instruction of int8 products, empty if unknown
 * @param bfloat16 the instruction of bfloat16 products, empty if unknown
 */
record Advice(
    String forced,
    boolean incubator,
    boolean nativeAccess,
    String backend,
    String int8,
    String bfloat16) {
  /** That of this JVM. */
  static Advice ofThisJvm(BackendChoice choice) {
    return new Advice(
        System.getProperty("switchyard.backend"),
        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
        BackendChoice.class.getModule().isNativeAccessEnabled(),
        choice.name(),
        instruction(choice, ElementType.INT8),
        instruction(choice, ElementType.BFLOAT16));
  }

  private static String instruction(BackendChoice choice, ElementType type) {
    return choice.peak(type).map(PeakLoop::instruction).orElse("");
  }

  /** Sentences, the most important first; one that says so if there is nothing to do. */
  List<String> sentences() {
    List<String> all = new ArrayList<>();
    if (forced != null) {
      all.add(
          "leave out -Dswitchyard.backend="
              + forced
              + ": without it Switchyard takes the fastest backend that runs here");
    }
    if (!nativeAccess) {
      all.add(
          "add --enable-native-access=ALL-UNNAMED to the JVM's options: products then run in"
              + " machine code");
    }
    if (!incubator) {
      all.add(
          "add --add-modules jdk.incubator.vector to the JVM's options: all but products and"
              + " quantization then runs in vectors");
    }
    if (backend.startsWith("x86") && int8.startsWith("vpmaddwd")) {
      all.add(
          "take a processor with VNNI if you can choose: on this one products of int8 are made of"
              + " 16-bit ones, for about half of what int8 gains over float32 elsewhere");
    }
    if (backend.startsWith("x86") && !bfloat16.startsWith("vdpbf16ps")) {
      all.add(
          "prefer FLOAT32 to BFLOAT16: this processor has no bfloat16 instruction, so both run at"
              + " the same speed");
    }
    return all.isEmpty() ? List.of("none: this is the fastest that runs here") : all;
  }
}
