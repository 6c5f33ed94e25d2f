package dev.switchyard.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Runs cases in a JVM that has a part of the library rewritten. */
final class FaultJvm {
  private static final int SECONDS = 1800; // a seventh of it where nothing else runs

  private final Path directory;
  private final FaultyClasses classes;
  private final List<String> flags = new ArrayList<>();

  /**
   * Rewrites parts of the library.
   *
   * @param exported the packages whose public methods have to be run by some case
   * @param ones a class of each part, in its uppermost package
   */
  FaultJvm(Path directory, Set<String> exported, Class<?>... ones) throws IOException {
    this.directory = directory;
    classes = new FaultyClasses(exported);
    for (Class<?> one : ones) {
      classes.rewrite(one, one.getPackageName().replace('.', '/'), directory.resolve("classes"));
    }
  }

  /** The same, with a flag of its JVM. */
  FaultJvm with(String flag) {
    flags.add(flag);
    return this;
  }

  /**
   * Runs all cases.
   *
   * @param most errors of a kind in a case; 1 for one error of the kinds in turn
   */
  @SafeVarargs
  final void run(int most, Class<? extends FaultCases>... cases)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(OtherJvm.java(), "-XX:TieredStopAtLevel=1"));
    command.add("-XX:+UseSerialGC");
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-Xmx1g"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(flags);
    command.add("-Djava.io.tmpdir=" + directory);
    String path = System.getProperty("java.class.path");
    command.addAll(List.of("-cp", directory.resolve("classes") + File.pathSeparator + path));
    command.addAll(List.of(FaultRuns.class.getName(), "" + most));
    for (Class<?> one : cases) {
      command.add(one.getName());
    }

    OtherJvm run = OtherJvm.finish(directory, command, SECONDS);

    assertThat(run.exit()).as(run.output()).isZero();
    assertThat(withoutCase(run.output().lines().toList()))
        .as("operations without a case")
        .isEmpty();
  }

  /** The operations that are not among those that were run. */
  List<String> withoutCase(List<String> output) {
    List<String> operations = classes.operations();
    return IntStream.range(0, operations.size())
        .filter(i -> !output.contains(FaultRuns.ENTERED + i))
        .mapToObj(operations::get)
        .toList();
  }
}
