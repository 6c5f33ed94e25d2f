package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the README compiles as it stands there, runs, and learns. */
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  /**
   * Around the example: the reader's own batch and loss, here the mean squared distance to a
   * target.
   */
  private static final String SURROUNDINGS =
      """
      import dev.switchyard.kernels.*;
      import dev.switchyard.kernels.data.*;
      import dev.switchyard.kernels.parallel.*;
      import dev.switchyard.layers.*;
      import dev.switchyard.layers.optim.*;

      public class Example {
        static final FloatMatrix input = FloatMatrix.allocate(16, 64);
        static double firstLoss = Double.NaN;
        static double lastLoss;

        static FloatMatrix lossGradient(FloatMatrix y) {
          FloatMatrix gradient = FloatMatrix.allocate(y.rows(), y.cols());
          lastLoss = 0;
          for (int i = 0; i < y.rows(); i++) {
            for (int j = 0; j < y.cols(); j++) {
              float difference = y.get(i, j) - (i + j) % 3;
              lastLoss += difference * difference;
              gradient.set(i, j, 2 * difference / (y.rows() * y.cols()));
            }
          }
          firstLoss = Double.isNaN(firstLoss) ? lastLoss : firstLoss;
          return gradient;
        }

        public static double run() {
          long key = new CounterRandom(7).key(0);
          for (int i = 0; i < input.data().length; i++) {
            input.data()[i] = CounterRandom.gaussian(key, i);
          }
          // example
          return lastLoss / firstLoss;
        }
      }
      """;

  @TempDir private Path folder;

  @Test
  void exampleCompilesRunsAndLearns() throws Throwable {
    Matcher block = JAVA.matcher(Files.readString(readme()));
    assertThat(block.find()).as("the README has a Java example").isTrue();
    Path source = folder.resolve("Example.java");
    Files.writeString(source, SURROUNDINGS.replace("// example", block.group(1)));

    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
      boolean compiled =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
              .call();
      assertThat(compiled).as(messages.toString()).isTrue();
    }
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      double ratio =
          (double)
              MethodHandles.publicLookup()
                  .findStatic(
                      loader.loadClass("Example"), "run", MethodType.methodType(double.class))
                  .invoke();
      assertThat(ratio).as("last loss over first").isLessThan(0.1);
    }
  }

  /** Tests run in the folder of their module. */
  private static Path readme() {
    return Path.of("..", "README.md");
  }
}
