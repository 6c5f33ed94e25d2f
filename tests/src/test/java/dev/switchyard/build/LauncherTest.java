package dev.switchyard.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code bench/switchyard}, with a JDK and a Maven that only say that they were called. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {
  @TempDir private Path folder;

  private Path root;
  private Path jdk;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void checkOut() throws IOException {
    root = checkOut("switchyard");
    jdk = jdk("jdk", "25.0.3");
    Path maven = folder.resolve("maven");
    // Writes the stamps as the build does: with the time at which it began.
    script(
        maven.resolve("mvn"),
        """
        echo "built: $*"
        mkdir -p bench/target; touch bench/target/switchyard.stamp
        case "$*" in
          *bench/measure*) mkdir -p bench/measure/target; touch bench/measure/target/switchyard.stamp ;;
        esac\
        """);
    environment.put("PATH", maven + ":" + System.getenv("PATH"));
    environment.put("SWITCHYARD_JAVA_HOME", jdk.toString());
  }

  private Path checkOut(String name) throws IOException {
    Path copy = folder.resolve(name);
    for (String module :
        List.of("kernels", "layers", "layers/encoders", "layers/mpi", "bench", "bench/measure")) {
      Path source = Files.createDirectories(copy.resolve(module).resolve("src"));
      Files.setLastModifiedTime(source, FileTime.fromMillis(0));
      old(copy.resolve(module).resolve("pom.xml"));
    }
    old(copy.resolve("pom.xml"));
    Path launcher = copy.resolve("bench/switchyard");
    Files.copy(Path.of("../bench/switchyard"), launcher);
    return copy;
  }

  private static void old(Path file) throws IOException {
    Files.setLastModifiedTime(Files.createFile(file), FileTime.fromMillis(0));
  }

  private static void script(Path file, String command) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + command + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    script(home.resolve("bin/javac"), ":");
    script(home.resolve("bin/java"), "echo \"java $(locale charmap): $*\"");
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  private OtherJvm run(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = OtherJvm.builder(List.of(command)).directory(folder.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new OtherJvm(process.exitValue(), output);
  }

  private OtherJvm launch() throws IOException, InterruptedException {
    return launch("doctor");
  }

  private OtherJvm launch(String arguments) throws IOException, InterruptedException {
    return run("sh", "-c", "'" + root.resolve("bench/switchyard") + "' " + arguments);
  }

  @Test
  void buildsOnceAndPassesArgumentsOn() throws IOException, InterruptedException {
    assertThat(launch().output()).contains("built", "dev.switchyard.bench.Switchyard doctor");
    OtherJvm second = launch();
    assertThat(second.exit()).isZero();
    assertThat(second.output()).doesNotContain("built").contains("Switchyard doctor");
  }

  @Test
  void buildsAgainWhenASourceIsNewerThanTheLastBuild() throws IOException, InterruptedException {
    launch();
    Path source = Files.createFile(root.resolve("kernels/src/New.java"));
    Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
    assertThat(launch().output()).contains("built");
  }

  /** What trains fetches no library to compare with; what compares says that it does. */
  @ParameterizedTest
  @ValueSource(
      strings = {"", "--help", "train", "train --help", "adapt --out --peer", "report", "doctor"})
  void mostCommandsNeedNoPeer(String arguments) throws IOException, InterruptedException {
    assertThat(launch(arguments).output())
        .contains("built: -q -ntp -pl bench -am", "/bench/target/switchyard-bench.jar:")
        .doesNotContain("measure", "compare");
  }

  @ParameterizedTest
  @ValueSource(strings = {"matmul -m 3", "step", "coda", "bench", "soak", "jmh", "train --peer"})
  void whatComparesFetchesThePeers(String arguments) throws IOException, InterruptedException {
    launch("train");
    OtherJvm run = launch(arguments);
    assertThat(run.output())
        .contains(
            "with the libraries to compare with",
            "built: -q -ntp -pl bench/measure -am",
            "/bench/measure/target/switchyard-measure.jar:");
    assertThat(launch(arguments).output()).doesNotContain("built");
    assertThat(launch("doctor").output()).contains("measure.jar").doesNotContain("built");
  }

  /** Which is what {@code mvn verify} and {@code mvn install} leave, as the build of bench says. */
  @Test
  void buildsNothingWhereMavenHasBuiltIt() throws IOException, InterruptedException {
    Files.createFile(
        Files.createDirectories(root.resolve("bench/target")).resolve("switchyard.stamp"));
    assertThat(launch().output()).doesNotContain("built");
    assertThat(Path.of("../bench/pom.xml")).content().contains("/switchyard.stamp");
    assertThat(Path.of("../bench/measure/pom.xml")).content().contains("/switchyard.stamp");
  }

  @Test
  void aBuildThatFailsIsASentence() throws IOException, InterruptedException {
    script(folder.resolve("maven/mvn"), "exit 1");
    OtherJvm run = launch();
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output()).endsWith("switchyard: the build failed\n").doesNotContain("java ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"25", "25.0.3", "26-ea", "27.0.1", "100"})
  void takesAJdk25OrNewer(String version) throws IOException, InterruptedException {
    environment.put("SWITCHYARD_JAVA_HOME", jdk("other", version).toString());
    assertThat(launch().exit()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.8.0_402", "17.0.15", "24.0.2", "none"})
  void refusesOlderOnes(String version) throws IOException, InterruptedException {
    Path old = jdk("other", version);
    environment.put("SWITCHYARD_JAVA_HOME", old.toString());
    OtherJvm run = launch();
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .isEqualTo(
            "switchyard: SWITCHYARD_JAVA_HOME is " + old + ", which is not a JDK 25 or newer\n");
  }

  @Test
  void findsTheFolderWhateverCdDoes() throws IOException, InterruptedException {
    environment.put("CDPATH", folder + ":" + root);
    Files.createDirectories(root.resolve("elsewhere/bench"));
    OtherJvm run = run("sh", "-c", "cd switchyard && bench/switchyard doctor");
    assertThat(run.output())
        .contains("-cp " + root.toRealPath() + "/bench/target/switchyard-bench.jar");
  }

  /** In the locale C the JVM cannot open a file whose path has letters beyond ASCII. */
  @ParameterizedTest
  @CsvSource({"LC_ALL, C", "LC_ALL, POSIX", "LANG, C"})
  void pathsMayHaveOtherLetters(String variable, String locale)
      throws IOException, InterruptedException {
    environment.put(variable, locale);
    root = checkOut("Gleise ä 軌道");
    OtherJvm run = launch();
    assertThat(run.exit()).isZero();
    assertThat(run.output()).contains("java UTF-8:");
  }
}
