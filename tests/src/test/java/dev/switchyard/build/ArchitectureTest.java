package dev.switchyard.build;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTag;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** Which part of the library may use which. */
@ArchTag("full")
@AnalyzeClasses(packages = "dev.switchyard", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String[] MEASURING =
      Stream.of("encoders", "kernels", "peers", "provider", "soak", "suites")
          .map(name -> "dev.switchyard.bench." + name + "..")
          .toArray(String[]::new);

  @ArchTest
  static final ArchRule DEPENDENCIES_POINT_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.switchyard..")
          .layer("bench")
          .definedBy("dev.switchyard.bench..")
          .layer("langchain4j")
          .definedBy("dev.switchyard.langchain4j..")
          .layer("encoders")
          .definedBy("dev.switchyard.encoders..")
          .layer("mpi")
          .definedBy("dev.switchyard.mpi..")
          .layer("test kit")
          .definedBy("dev.switchyard.testkit..")
          .layer("layers")
          .definedBy("dev.switchyard.layers..")
          .layer("operations")
          .definedBy("dev.switchyard.kernels")
          .layer("driver")
          .definedBy("dev.switchyard.kernels.driver..")
          .layer("backends")
          .definedBy("dev.switchyard.kernels.backend..")
          .layer("data")
          .definedBy("dev.switchyard.kernels.data..")
          .layer("threads")
          .definedBy("dev.switchyard.kernels.parallel..")
          .layer("stack")
          .definedBy("dev.switchyard.kernels.stack..")
          .whereLayer("langchain4j")
          .mayOnlyAccessLayers("encoders", "layers", "operations", "data", "threads")
          .whereLayer("encoders")
          .mayOnlyAccessLayers("layers", "operations", "data", "threads")
          .whereLayer("mpi")
          .mayOnlyAccessLayers("layers", "operations", "data", "threads")
          .whereLayer("test kit")
          .mayOnlyAccessLayers("layers", "operations", "data", "threads")
          .whereLayer("layers")
          .mayOnlyAccessLayers("operations", "data", "threads")
          .whereLayer("operations")
          .mayOnlyAccessLayers("driver", "backends", "data", "threads", "stack")
          .whereLayer("driver")
          .mayOnlyAccessLayers("backends", "data", "threads")
          .whereLayer("backends")
          .mayOnlyAccessLayers("data", "threads")
          .whereLayer("data")
          .mayNotAccessAnyLayer()
          .whereLayer("threads")
          .mayOnlyAccessLayers("stack")
          .whereLayer("stack")
          .mayNotAccessAnyLayer();

  /** What a layer is made with, then parts, then what is made of them. */
  @ArchTest
  static final ArchRule LAYERS_ARE_BUILT_FROM_BELOW =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.switchyard.layers..")
          .layer("core")
          .definedBy("dev.switchyard.layers")
          .layer("parts")
          .definedBy(
              "dev.switchyard.layers.activation",
              "dev.switchyard.layers.attention",
              "dev.switchyard.layers.embedding",
              "dev.switchyard.layers.loss",
              "dev.switchyard.layers.norm")
          .layer("block")
          .definedBy("dev.switchyard.layers.block")
          .layer("model")
          .definedBy("dev.switchyard.layers.model")
          .layer("coda")
          .definedBy("dev.switchyard.layers.coda")
          .layer("optim")
          .definedBy("dev.switchyard.layers.optim")
          .layer("io")
          .definedBy("dev.switchyard.layers.io")
          .layer("training")
          .definedBy("dev.switchyard.layers.training")
          .whereLayer("core")
          .mayNotAccessAnyLayer()
          .whereLayer("parts")
          .mayOnlyAccessLayers("core")
          .whereLayer("block")
          .mayOnlyAccessLayers("core", "parts")
          .whereLayer("model")
          .mayOnlyAccessLayers("core", "parts", "block")
          .whereLayer("coda")
          .mayOnlyAccessLayers("core", "parts", "block", "io")
          .whereLayer("optim")
          .mayOnlyAccessLayers("core")
          .whereLayer("io")
          .mayOnlyAccessLayers("core", "optim")
          .whereLayer("training")
          .mayOnlyAccessLayers("core", "optim", "io");

  /** The command is built without the module that measures, and finds it by its interface alone. */
  @ArchTest
  static final ArchRule THE_COMMAND_KNOWS_NO_PEER =
      noClasses()
          .that()
          .resideInAPackage("dev.switchyard.bench..")
          .and()
          .resideOutsideOfPackages(MEASURING)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              Stream.concat(
                      Stream.of(MEASURING),
                      Stream.of(
                          "org.bytedeco..",
                          "org.openjdk.jmh..",
                          "org.ejml..",
                          "org.ojalgo..",
                          "ai.onnxruntime.."))
                  .toArray(String[]::new));

  @ArchTest
  static final ArchRule NO_PACKAGE_CYCLES =
      slices().matching("dev.switchyard.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule KERNELS_NEED_THE_JDK_ALONE =
      classes()
          .that()
          .resideInAPackage("dev.switchyard.kernels..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "jdk..", "dev.switchyard.kernels..");

  @ArchTest
  static final ArchRule LAYERS_NEED_KERNELS_AND_THE_JDK_ALONE =
      classes()
          .that()
          .resideInAPackage("dev.switchyard.layers..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..", "jdk..", "dev.switchyard.kernels..", "dev.switchyard.layers..");

  @ArchTest
  static final ArchRule MPI_NEEDS_LAYERS_AND_THE_JDK_ALONE =
      classes()
          .that()
          .resideInAPackage("dev.switchyard.mpi..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "dev.switchyard.kernels..",
              "dev.switchyard.layers..",
              "dev.switchyard.mpi..");

  @ArchTest
  static final ArchRule ENCODERS_NEED_LAYERS_AND_A_JSON_PARSER_ALONE =
      classes()
          .that()
          .resideInAPackage("dev.switchyard.encoders..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "com.fasterxml.jackson.core..",
              "dev.switchyard.kernels..",
              "dev.switchyard.layers..",
              "dev.switchyard.encoders..");

  /** A JVM started without the incubator module must never load a class that names it. */
  @ArchTest
  static final ArchRule ONLY_THE_VECTOR_BACKEND_USES_THE_VECTOR_API =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.switchyard.kernels.backend.vector..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.incubator.vector..");

  /**
   * A seeded run must repeat bit for bit: all randomness comes from our counter-based generator.
   */
  @ArchTest
  static final ArchRule NO_RANDOMNESS_FROM_ELSEWHERE =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.switchyard.kernels..",
              "dev.switchyard.layers..",
              "dev.switchyard.encoders..",
              "dev.switchyard.mpi..")
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(Random.class, ThreadLocalRandom.class)
          .orShould()
          .dependOnClassesThat()
          .resideInAPackage("java.util.random")
          .orShould()
          .callMethod(Math.class, "random");
}
