package dev.switchyard.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AdviceTest {
  private static final String BFLOAT16 = "vdpbf16ps, 512 bits";

  private static List<String> of(
      String forced, boolean incubator, boolean nativeAccess, String backend, String bfloat16) {
    return new Advice(forced, incubator, nativeAccess, backend, "vpdpbusd, 512 bits", bfloat16)
        .sentences();
  }

  @Test
  void nothingIsLeftToDo() {
    assertThat(of(null, true, true, "x86", BFLOAT16))
        .containsExactly("none: this is the fastest that runs here");
  }

  @Test
  void namesTheFlagsThatAreMissing() {
    assertThat(of(null, false, false, "reference", ""))
        .satisfiesExactly(
            first -> assertThat(first).startsWith("add --enable-native-access=ALL-UNNAMED "),
            second -> assertThat(second).startsWith("add --add-modules jdk.incubator.vector "));
    assertThat(of(null, true, false, "vector", "")).hasSize(1);
  }

  @Test
  void namesWhatWasForced() {
    assertThat(of("vector", true, true, "vector", ""))
        .singleElement()
        .asString()
        .startsWith("leave out -Dswitchyard.backend=vector: ");
  }

  @Test
  void knowsWhereBfloat16IsNoGain() {
    assertThat(of(null, true, true, "x86", "vfmadd231ps, 256 bits"))
        .singleElement()
        .asString()
        .startsWith("prefer FLOAT32 to BFLOAT16: ");
  }

  @Test
  void knowsWhatAProcessorWithoutVnniLacks() {
    String instruction = "vpmaddwd + vpaddd, 256 bits";
    assertThat(new Advice(null, true, true, "x86", instruction, BFLOAT16).sentences())
        .singleElement()
        .asString()
        .startsWith("take a processor with VNNI ");
  }
}
