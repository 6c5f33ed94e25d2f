package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.parallel.Parallel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which backend is chosen, here and in JVMs that are started with other flags. */
class BackendChoiceTest {
  private static final String MODULE = "--add-modules=jdk.incubator.vector";
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
  private static final Pattern WIDTH = Pattern.compile("vector \\((\\d+)-bit JDK Vector API\\)");

  @TempDir private Path directory;

  @Test
  void thisJvmRunsTheFastest() {
    BackendChoice choice = BackendChoice.automatic();

    assertThat(choice.name()).isEqualTo("x86");
    assertThat(choice.reason())
        .matches("x86 \\(\\w+( with bfloat16)? machine code\\): the fastest that this JVM can run");
    assertThat(choice).hasToString(choice.reason());
    assertThat(BackendChoice.automatic()).isSameAs(choice);
    assertThat(Kernels.create(Parallel.serial()).backend()).isSameAs(choice);
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "vector", "x86", "REFERENCE", "Vector", "X86-AVX2"})
  void backendsHaveNames(String name) {
    BackendChoice choice = BackendChoice.named(name);

    assertThat(choice.name()).isEqualToIgnoringCase(name).isLowerCase();
    assertThat(choice.reason()).startsWith(choice.name() + " (").endsWith("): asked for by name");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "avx", "vector "})
  void refusesUnknownNames(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BackendChoice.named(name))
        .withMessage(
            "unknown backend \""
                + name
                + "\" (expected reference, vector or x86; or x86-amx, x86-avx512, x86-avx_vnni or"
                + " x86-avx2 to force an instruction set)");
  }

  @Test
  void serialKernelsShareTheBackend() {
    Kernels kernels = new Setup("reference", 2).kernels();

    assertThat(kernels.serial().backend()).isSameAs(kernels.backend());
    assertThat(kernels.serial().parallel().threads()).isEqualTo(1);
    assertThat(kernels.serial()).isSameAs(kernels.serial());
    assertThat(kernels.serial().serial()).isSameAs(kernels.serial());
    assertThat(kernels.parallel().threads()).isEqualTo(2);
  }

  /** Everything works, and one warning names the missing flag, however often kernels are made. */
  @Test
  void withoutTheModuleTheReferenceBackendComputes() throws IOException, InterruptedException {
    OtherJvm run = run();

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output())
        .contains(Battery.PASSED + "reference (plain Java): module jdk.incubator.vector is missing")
        .containsOnlyOnce("WARNING")
        .containsOnlyOnce("add --add-modules jdk.incubator.vector")
        .contains(
            "Switchyard runs on its slow reference backend, because module jdk.incubator.vector is"
                + " missing: add --add-modules jdk.incubator.vector");
  }

  @Test
  void propertyForcesABackend() throws IOException, InterruptedException {
    OtherJvm run = OtherJvm.run(directory, Named.class, MODULE, "-Dswitchyard.backend=reference");

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output())
        .contains("chose reference (plain Java): forced by -Dswitchyard.backend")
        .doesNotContain("slow");
  }

  @Test
  void forcingVectorWithoutTheModuleFails() throws IOException, InterruptedException {
    OtherJvm run = run("-Dswitchyard.backend=vector");

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output())
        .contains(
            "Exception in thread \"main\" java.lang.IllegalStateException: backend vector cannot"
                + " run: start the JVM with --add-modules jdk.incubator.vector")
        .doesNotContain(Battery.PASSED);
  }

  @Test
  void forcingAnUnknownBackendFails() throws IOException, InterruptedException {
    OtherJvm run = run(MODULE, "-Dswitchyard.backend=abacus");

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output())
        .contains(
            "Exception in thread \"main\" java.lang.IllegalArgumentException: unknown backend"
                + " \"abacus\" (expected reference, vector or x86");
  }

  /** One sentence says why the machine code is not used, and the next best backend computes. */
  @Tag("full")
  @Test
  void withoutNativeAccessTheVectorBackendComputes() throws IOException, InterruptedException {
    OtherJvm run = run(MODULE);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output())
        .contains(Battery.PASSED + "vector")
        .containsOnlyOnce("INFO: Switchyard emits no machine code")
        .contains("native access is not enabled: add --enable-native-access=ALL-UNNAMED");
  }

  @Test
  void withNativeAccessMachineCodeComputes() throws IOException, InterruptedException {
    machineCodeComputes("x86");
  }

  @Tag("full")
  @Test
  void anInstructionSetCanBeForced() throws IOException, InterruptedException {
    machineCodeComputes("x86-avx2");
  }

  private void machineCodeComputes(String name) throws IOException, InterruptedException {
    OtherJvm run = run(MODULE, NATIVE, "-Dswitchyard.backend=" + name);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains(Battery.PASSED + name + " (").doesNotContain("Switchyard");
  }

  /**
   * Products do not need the Vector API; the rest runs on the reference backend, with a warning.
   */
  @Tag("full")
  @Test
  void machineCodeWithoutTheModule() throws IOException, InterruptedException {
    OtherJvm run = run(NATIVE);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output())
        .contains(Battery.PASSED + "x86")
        .containsOnlyOnce("WARNING")
        .containsOnlyOnce("add --add-modules jdk.incubator.vector")
        .contains(
            "Switchyard runs all but products on its slow reference backend, because module"
                + " jdk.incubator.vector is missing: add --add-modules jdk.incubator.vector");
  }

  /** A folder cannot be made where a file is. */
  @Test
  void codeThatCannotBeDumped() throws IOException, InterruptedException {
    Path file = Files.createFile(directory.resolve("file"));
    OtherJvm run = run(MODULE, NATIVE, "-Dswitchyard.x86.dump=" + file);

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output())
        .contains("java.io.UncheckedIOException: cannot write emitted code to " + file);
  }

  @Test
  void forcingMachineCodeWithoutNativeAccessFails() throws IOException, InterruptedException {
    OtherJvm run = run(MODULE, "-Dswitchyard.backend=x86");

    assertThat(run.exit()).as(run.output()).isNotZero();
    assertThat(run.output())
        .contains(
            "java.lang.IllegalStateException: backend x86 cannot run: native access is not enabled:"
                + " add --enable-native-access=ALL-UNNAMED");
  }

  /** The species of smaller machines: tiles, tails and conversions take other ways there. */
  @Tag("full")
  @ParameterizedTest
  @ValueSource(ints = {32, 16})
  void narrowerVectors(int bytes) throws IOException, InterruptedException {
    OtherJvm run = run(MODULE, "-XX:MaxVectorSize=" + bytes);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains(Battery.PASSED + "vector");
    Matcher width = WIDTH.matcher(run.output());
    assertThat(width.find()).as(run.output()).isTrue();
    assertThat(Integer.parseInt(width.group(1))).isLessThanOrEqualTo(8 * bytes);
  }

  @Tag("full")
  @Test
  void oneProcessor() throws IOException, InterruptedException {
    OtherJvm run = run(MODULE, "-XX:ActiveProcessorCount=1");

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).contains(Battery.PASSED + "vector");
  }

  /** One line, where the JVM has not what makes vectors fast. */
  @ParameterizedTest
  @CsvSource({
    "-Xint, it interprets all code (-Xint)",
    "-XX:TieredStopAtLevel=1, it runs without its compiler C2 (-XX:TieredStopAtLevel)"
  })
  void saysThatVectorsAreSlow(String flag, String why) throws IOException, InterruptedException {
    OtherJvm run = OtherJvm.run(directory, Named.class, MODULE, flag);

    String sentence = "vectors are slow in this JVM, since " + why;
    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(run.output()).containsOnlyOnce("WARNING: Switchyard: " + sentence);
    assertThat(run.output()).containsPattern("chose vector .*; " + Pattern.quote(sentence));
  }

  /** Says what is chosen, and no more. */
  static final class Named {
    public static void main(String[] arguments) {
      System.out.println("chose " + BackendChoice.automatic().reason());
      BackendChoice.automatic();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      nullValues = "none",
      value = {
        "mixed mode, sharing; 25.0.3+9-LTS; none",
        "compiled mode, sharing; 25.0.3+9-LTS; none",
        "mixed mode, sharing; 25+37-jvmci-b01; another compiler takes the place of C2 (JVMCI)",
        "interpreted mode; 25+37-jvmci-b01; it interprets all code (-Xint)"
      })
  void knowsCompilersByWhatTheJvmSays(String info, String version, String why) {
    assertThat(JitCompiler.slowsVectors(info, version)).isEqualTo(Optional.ofNullable(why));
    assertThat(JitCompiler.slowsVectors()).isEmpty();
  }

  /** Runs {@link Battery} with nothing but these flags. */
  private OtherJvm run(String... flags) throws IOException, InterruptedException {
    return OtherJvm.run(directory, Battery.class, flags);
  }
}
