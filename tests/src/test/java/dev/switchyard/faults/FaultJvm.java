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
  private final Path directory;
  private final FaultyClasses classes;

  /**
   * Rewrites a part of the library.
   *
   * @param one a class of it
   * @param exported its packages whose public methods have to be run by some case
   */
  FaultJvm(Path directory, Class<?> one, Set<String> exported) throws IOException {
    this.directory = directory;
    classes = new FaultyClasses(exported);
    classes.rewrite(one, one.getPackageName().replace('.', '/'), directory.resolve("classes"));
  }

  /**
   * Runs all cases.
   *
   * @param most errors of a kind in a case
   * @param round decides which, if there are more
   */
  void run(Class<? extends FaultCases> cases, int most, int round, String... flags)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(OtherJvm.java(), "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-Xmx1g"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(flags));
    String path = System.getProperty("java.class.path");
    command.addAll(List.of("-cp", directory.resolve("classes") + File.pathSeparator + path));
    command.addAll(List.of(FaultRuns.class.getName(), cases.getName(), "" + most, "" + round));

    OtherJvm run = OtherJvm.finish(directory, command);

    assertThat(run.exit()).as(run.output()).isZero();
    List<String> entered =
        run.output().lines().filter(l -> l.startsWith(FaultRuns.ENTERED)).toList();
    List<String> operations = classes.operations();
    assertThat(
            IntStream.range(0, operations.size())
                .filter(i -> !entered.contains(FaultRuns.ENTERED + i))
                .mapToObj(operations::get))
        .as("operations without a case")
        .isEmpty();
  }
}
