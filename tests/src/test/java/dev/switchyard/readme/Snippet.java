package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Statements of a page, compiled and run beside {@link ReadersCode}. */
final class Snippet {
  private static final String SURROUNDINGS =
      """
      import static dev.switchyard.readme.ReadersCode.*;

      import dev.switchyard.encoders.*;
      import dev.switchyard.kernels.*;
      import dev.switchyard.kernels.data.*;
      import dev.switchyard.kernels.parallel.*;
      import dev.switchyard.langchain4j.*;
      import dev.switchyard.layers.*;
      import dev.switchyard.layers.activation.*;
      import dev.switchyard.layers.attention.*;
      import dev.switchyard.layers.block.*;
      import dev.switchyard.layers.coda.*;
      import dev.switchyard.layers.embedding.*;
      import dev.switchyard.layers.io.*;
      import dev.switchyard.layers.loss.*;
      import dev.switchyard.layers.model.*;
      import dev.switchyard.layers.norm.*;
      import dev.switchyard.layers.optim.*;
      import dev.switchyard.layers.training.*;
      import dev.switchyard.mpi.*;
      import dev.switchyard.testkit.*;
      import java.lang.foreign.*;
      import java.nio.*;
      import java.nio.file.*;
      import java.util.*;
      import java.util.concurrent.*;

      public class Example {
        public static void run() throws Exception {
          // example
        }
      }
      """;

  private Snippet() {}

  /**
   * Compiles and runs statements.
   *
   * @param folder for the class
   * @return what they printed
   */
  static String run(String statements, Path folder) throws Throwable {
    Path source = folder.resolve("Example.java");
    Files.writeString(source, SURROUNDINGS.replace("// example", statements));
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
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = System.out;
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()});
        PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      MethodHandles.publicLookup()
          .findStatic(loader.loadClass("Example"), "run", MethodType.methodType(void.class))
          .invoke();
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }
}
