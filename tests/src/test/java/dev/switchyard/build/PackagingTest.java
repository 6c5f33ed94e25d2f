package dev.switchyard.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.readme.Page;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * What users depend on: the libraries are built again elsewhere, by the same JDKs, published into a
 * folder, installed into a repository of their own, and used from there by the sample project.
 */
@Tag("full")
@EnabledOnOs({OS.LINUX, OS.MAC}) // has a mvn without .cmd, and links
class PackagingTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final String VERSION = "0.1.0-SNAPSHOT";

  /** By folder: the name of each library, and what its list of components has. */
  private static final Map<String, Library> LIBRARIES =
      Map.of(
          "kernels", new Library("kernels", Set.of()),
          "layers", new Library("layers", Set.of("switchyard-kernels")),
          "layers/encoders",
              new Library(
                  "encoders", Set.of("switchyard-kernels", "switchyard-layers", "jackson-core")),
          "layers/langchain4j",
              new Library(
                  "langchain4j",
                  Set.of("switchyard-encoders", "switchyard-layers", "langchain4j-core")),
          "layers/mpi", new Library("mpi", Set.of("switchyard-kernels", "switchyard-layers")),
          "tests/kit",
              new Library(
                  "testkit", Set.of("switchyard-kernels", "switchyard-layers", "opentest4j")));

  private record Library(String name, Set<String> components) {
    String file(String ending) {
      return "switchyard-" + name + "-" + VERSION + ending;
    }
  }

  @TempDir private static Path folder;

  private static Path copy;
  private static Path repository;
  private static Path published;

  @BeforeAll
  static void buildElsewhere() throws IOException, InterruptedException {
    assumeTrue(
        Files.exists(ROOT.resolve("kernels/target").resolve(LIBRARIES.get("kernels").file(".jar"))),
        "the libraries are packaged where Maven runs this test");
    copy = folder.resolve("of another name");
    copySources(ROOT, copy);
    repository = Files.createDirectory(folder.resolve("repository"));
    link(Path.of(System.getProperty("localRepository")), repository);
    published = folder.resolve("published");
    maven(
        copy,
        "deploy",
        "-Pfull",
        "-DskipTests",
        "-DaltDeploymentRepository=published::" + published.toUri(),
        "-pl",
        "layers/bom," + String.join(",", LIBRARIES.keySet()),
        "-am");
  }

  private static void copySources(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            String name = dir.getFileName().toString();
            if (name.equals("target") || name.startsWith(".") || name.startsWith("switchyard-")) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(dir)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** All that was fetched for this build is there too, but nothing that was installed of it. */
  private static void link(Path from, Path to) throws IOException {
    try (Stream<Path> groups = Files.list(from)) {
      for (Path group : groups.filter(Files::isDirectory).toList()) {
        Path target = to.resolve(group.getFileName());
        if (group.endsWith("dev")) {
          link(group, Files.createDirectory(target));
        } else if (!group.endsWith("switchyard")) {
          Files.createSymbolicLink(target, group.toAbsolutePath());
        }
      }
    }
  }

  private static void maven(Path where, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("mvn", "-B", "-ntp"));
    command.add("-Dmaven.repo.local=" + repository);
    command.addAll(List.of(arguments));
    Path log = folder.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(where.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("maven.java.home"));
    int exitCode = builder.start().waitFor();
    assertThat(exitCode).as(Files.readString(log)).isZero();
  }

  static Set<String> libraries() {
    return LIBRARIES.keySet();
  }

  private static Path inCopy(String library, String ending) {
    return copy.resolve(library).resolve("target").resolve(LIBRARIES.get(library).file(ending));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void twoBuildsGiveTheSameBytes(String library) throws IOException {
    Path target = ROOT.resolve(library).resolve("target");
    for (String ending : List.of(".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.json")) {
      assertThat(inCopy(library, ending))
          .hasSameBinaryContentAs(target.resolve(LIBRARIES.get(library).file(ending)));
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void everyClassHasItsSource(String library) throws IOException {
    Set<String> sources = names(inCopy(library, "-sources.jar"), "\\.java");
    Set<String> classes = names(inCopy(library, ".jar"), "(\\$.*)?\\.class");
    classes.remove("module-info");
    assertThat(classes).isNotEmpty();
    sources.remove("module-info");
    sources.removeIf(source -> source.endsWith("package-info"));
    classes.removeIf(name -> name.endsWith("package-info"));
    assertThat(sources).isEqualTo(classes);
    assertThat(names(inCopy(library, "-javadoc.jar"), "\\.html"))
        .contains("index")
        .anyMatch(page -> page.endsWith("package-summary"))
        .noneMatch(page -> page.contains("/x86/")); // is not exported
  }

  /** The names of entries that end so, without the ending. */
  private static Set<String> names(Path jar, String ending) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return file.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.matches(".*" + ending))
          .map(name -> name.replaceFirst(ending + "$", ""))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void allComponentsAreListed(String library) throws IOException {
    JsonNode list = new ObjectMapper().readTree(inCopy(library, "-cyclonedx.json").toFile());
    assertThat(list.path("bomFormat").asText()).isEqualTo("CycloneDX");
    assertThat(list.at("/metadata/component/name").asText())
        .isEqualTo("switchyard-" + LIBRARIES.get(library).name());
    assertThat(list.at("/metadata/component/licenses/0/license/id").asText())
        .isEqualTo("Apache-2.0");
    List<String> names = new ArrayList<>();
    for (JsonNode component : list.path("components")) {
      names.add(component.path("name").asText());
      assertThat(component.path("purl").asText()).startsWith("pkg:maven/");
    }
    Set<String> expected = LIBRARIES.get(library).components();
    assertThat(names).containsAll(expected);
    if (!library.contains("/")) {
      assertThat(names).hasSameSizeAs(expected); // nothing but the JDK
    }
  }

  static Stream<String> publishedNames() throws IOException {
    return Stream.concat(
        Stream.of("switchyard", "switchyard-bom"),
        LIBRARIES.values().stream().map(library -> "switchyard-" + library.name()));
  }

  @Test
  void nothingElseIsPublished() throws IOException {
    try (Stream<Path> artifacts = Files.list(published.resolve("dev/switchyard"))) {
      assertThat(artifacts.filter(Files::isDirectory).map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(publishedNames().toList());
    }
  }

  /** As Maven Central asks of each artifact; signatures come with the profile for releases. */
  @ParameterizedTest
  @MethodSource("publishedNames")
  void whatIsPublishedSaysWhatItIs(String name) throws Exception {
    Path artifact = published.resolve("dev/switchyard").resolve(name).resolve(VERSION);
    List<String> files;
    try (Stream<Path> all = Files.list(artifact)) {
      files = all.map(path -> path.getFileName().toString()).toList();
    }
    Path pom =
        artifact.resolve(files.stream().filter(f -> f.endsWith(".pom")).findFirst().orElseThrow());
    assertThat(files).contains(pom.getFileName() + ".md5", pom.getFileName() + ".sha1");
    Element project = project(pom);
    assertThat(text(project, "artifactId")).isEqualTo(name);
    assertThat(text(project, "name")).startsWith("Switchyard");
    assertThat(text(project, "description")).isNotBlank();
    boolean inherits = child(project, "parent").isPresent();
    assertThat(inherits).as("the parent of " + name).isEqualTo(isLibrary(name));
    if (inherits) {
      for (String ending : List.of(".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.json")) {
        assertThat(files).as(ending).anyMatch(file -> file.endsWith(ending));
      }
    } else {
      assertThat(text(project, "url")).isNotBlank();
      for (String element : List.of("licenses", "developers", "scm")) {
        assertThat(child(project, element)).as(element + " of " + name).isPresent();
      }
    }
  }

  private static boolean isLibrary(String name) {
    return !name.equals("switchyard") && !name.equals("switchyard-bom");
  }

  /** Whoever imports the BOM gets no version of anything else. */
  @Test
  void theBomManagesTheLibrariesAlone() throws Exception {
    Path pom = repository.resolve("dev/switchyard/switchyard-bom").resolve(VERSION);
    Element managed =
        child(project(pom.resolve("switchyard-bom-" + VERSION + ".pom")), "dependencyManagement")
            .orElseThrow();
    NodeList names = managed.getElementsByTagName("artifactId");
    assertThat(IntStream.range(0, names.getLength()).mapToObj(i -> names.item(i).getTextContent()))
        .containsExactlyInAnyOrderElementsOf(
            publishedNames().filter(PackagingTest::isLibrary).toList());
  }

  private static Element project(Path pom) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(pom.toFile())
        .getDocumentElement();
  }

  private static Optional<Element> child(Element parent, String name) {
    NodeList children = parent.getChildNodes();
    return IntStream.range(0, children.getLength())
        .mapToObj(children::item)
        .filter(node -> node.getNodeName().equals(name))
        .map(Element.class::cast)
        .findFirst();
  }

  private static String text(Element parent, String name) {
    return child(parent, name).map(Element::getTextContent).orElse("");
  }

  @Test
  void oneJavadocLeadsFromLibraryToLibrary() throws IOException, InterruptedException {
    maven(
        copy, "process-sources", "-Pjavadoc", "-pl", "layers/encoders,layers/mpi,tests/kit", "-am");
    assertThat(
            copy.resolve(
                "target/reports/apidocs/dev.switchyard.layers/dev/switchyard/layers/Tape.html"))
        .content()
        .contains("/dev.switchyard.kernels/dev/switchyard/kernels/Kernels.html");
  }

  @Test
  void aSampleProjectUsesThem() throws IOException, InterruptedException {
    Path sample = copy.resolve("sample");
    maven(sample, "verify");
    assertThat(sample.resolve("target/surefire-reports/TEST-org.example.MoonsTest.xml"))
        .content()
        .contains("tests=\"3\"", "errors=\"0\"", "skipped=\"0\"", "failures=\"0\"");
    assertThat(sample.resolve("target/moons-1.jar")).exists();
  }

  /** With the plugin as the guide configures it. */
  @Test
  void oneJarHoldsTheSampleAndTheLibraries() throws IOException, InterruptedException {
    String plugin =
        Page.read("docs/guide.md").blocks().stream()
            .filter(block -> block.language().equals("xml"))
            .map(Page.Block::text)
            .collect(Collectors.joining());
    assertThat(plugin).contains("maven-shade-plugin", "com.example.App");
    Path sample = copy.resolve("sample");
    String pom = Files.readString(sample.resolve("pom.xml"));
    Files.writeString(
        sample.resolve("one-jar.xml"),
        pom.replace("<version>1</version>", "<version>one-jar</version>")
            .replace(
                "</plugins>",
                plugin.replace("com.example.App", "org.example.Moons") + "</plugins>"));

    maven(sample, "-f", "one-jar.xml", "package", "-DskipTests");

    OtherJvm run =
        OtherJvm.finish(
            folder,
            List.of(
                OtherJvm.java(),
                "--add-modules=jdk.incubator.vector",
                "-jar",
                sample.resolve("target/moons-one-jar.jar").toString()));
    assertThat(run.output())
        .isEqualTo("WARNING: Using incubator modules: jdk.incubator.vector\nx86: 1.0\n");
  }
}
