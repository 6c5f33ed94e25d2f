package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.OtherJvm;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * The commands of the pages whose output is shown there give that output, in JVMs of their own,
 * with the files that the page shows and Switchyard's jars in {@code lib}.
 */
class GuideCommandsTest {
  private static final List<String> MODULES = List.of("kernels", "layers");

  @TempDir private Path folder;

  @BeforeEach
  void makeJars() throws IOException {
    Path lib = Files.createDirectory(folder.resolve("lib"));
    for (String module : MODULES) {
      jar(lib.resolve("switchyard-" + module + ".jar"), "-C", classes(module).toString(), ".");
    }
    Path target = Files.createDirectories(folder.resolve("kernels/target")); // as in the repository
    Files.copy(lib.resolve("switchyard-kernels.jar"), target.resolve("switchyard-kernels.jar"));
  }

  private static Path classes(String module) {
    return Page.ROOT.resolve(module).resolve("target/classes").toAbsolutePath().normalize();
  }

  private static void jar(Path jar, String... arguments) {
    List<String> all = new ArrayList<>(List.of("--create", "--file", jar.toString()));
    all.addAll(List.of(arguments));
    int exit =
        ToolProvider.findFirst("jar")
            .orElseThrow()
            .run(System.out, System.err, all.toArray(String[]::new));
    assertThat(exit).as("jar " + all).isZero();
  }

  @Tag("full")
  @Test
  void commandsOfTheSecurityPagePrintWhatIsShown() throws Exception {
    assertThat(runCommands(Page.read("docs/security.md"))).isPositive();
  }

  @Tag("full")
  @Test
  void commandsOfTheGuidePrintWhatIsShown() throws Exception {
    Page guide = Page.read("docs/guide.md");
    assertThat(guide.blocks())
        .filteredOn(Page.Block::isCommands)
        .allMatch(b -> b.output().isPresent());
    assertThat(runCommands(guide)).isPositive();
  }

  /** In the order of the page, each block in one shell that stops at the first failure. */
  private int runCommands(Page page) throws Exception {
    int count = 0;
    for (Page.Block block : page.blocks()) {
      if (block.file().isPresent()) {
        Path file = folder.resolve(block.file().get());
        Files.createDirectories(file.getParent());
        Files.writeString(file, block.text());
      } else if (block.language().equals("xml")) {
        shade(block);
      } else if (block.isCommands() && block.output().isPresent()) {
        OtherJvm shell = OtherJvm.finish(folder, List.of("sh", "-euc", script(block.text())));
        assertThat(shell.exit()).as(block + ": " + shell.output()).isZero();
        assertThat(shell.output()).as(block.toString()).matches(block.outputPattern());
        count++;
      }
    }
    return count;
  }

  private String script(String commands) {
    return "cd '"
        + folder
        + "'\nPATH='"
        + System.getProperty("java.home")
        + "/bin':$PATH\n"
        + commands;
  }

  /**
   * Makes what the configuration of the Shade plugin asks for, without Maven: all classes in one
   * jar, without their modules and with the configured manifest.
   */
  private void shade(Page.Block plugin) throws Exception {
    StringBuilder manifest = new StringBuilder();
    manifestEntries(plugin.text())
        .forEach((key, value) -> manifest.append(key + ": " + value + "\n"));
    Path entries = folder.resolve("manifest");
    Files.writeString(entries, manifest);
    List<String> arguments = new ArrayList<>(List.of("--manifest", entries.toString()));
    for (Path classes :
        Stream.concat(
                MODULES.stream().map(GuideCommandsTest::classes),
                Stream.of(folder.resolve("classes")))
            .toList()) {
      try (Stream<Path> top = Files.list(classes)) {
        top.filter(Files::isDirectory)
            .filter(path -> !path.endsWith("META-INF"))
            .forEach(
                path ->
                    arguments.addAll(
                        List.of("-C", classes.toString(), path.getFileName().toString())));
      }
    }
    jar(
        Files.createDirectories(folder.resolve("target")).resolve("app.jar"),
        arguments.toArray(String[]::new));
  }

  private static Map<String, String> manifestEntries(String xml) throws Exception {
    NodeList entries =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))
            .getElementsByTagName("manifestEntries");
    assertThat(entries.getLength()).isEqualTo(1);
    Map<String, String> byKey = new TreeMap<>();
    for (Node node = entries.item(0).getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node.getNodeType() == Node.ELEMENT_NODE) {
        byKey.put(node.getNodeName(), node.getTextContent());
      }
    }
    return byKey;
  }
}
