package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The pages' links lead somewhere; the snippets of README and guide compile as they stand there,
 * run, print what is shown, and learn where they learn.
 */
class ReadmeTest {
  private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#]*)(?:#([^)]*))?\\)");

  @TempDir private Path folder;

  static Stream<Page.Block> snippets() throws IOException {
    List<Page.Block> all =
        Stream.of(Page.read("README.md"), Page.read("docs/guide.md"))
            .flatMap(page -> page.blocks().stream())
            .filter(Page.Block::isSnippet)
            .toList();
    assertThat(all).as("snippets of both pages").hasSizeGreaterThan(6);
    return all.stream();
  }

  /** What a newcomer reads at once. */
  @Test
  void theReadmeIsShort() throws IOException {
    assertThat(Files.readAllLines(Page.ROOT.resolve("README.md"))).hasSizeLessThan(150);
  }

  static List<String> pages() throws IOException {
    List<String> pages = new ArrayList<>();
    for (String folder : List.of("", "docs/", "docs/design/")) {
      try (Stream<Path> files = Files.list(Page.ROOT.resolve(folder))) {
        files
            .map(file -> folder + file.getFileName())
            .filter(name -> name.endsWith(".md"))
            .forEach(pages::add);
      }
    }
    return pages;
  }

  /** To a file of the repository, or to a heading, by its words in lower case. */
  @ParameterizedTest
  @MethodSource("pages")
  void linksLeadSomewhere(String name) throws IOException {
    Path page = Page.ROOT.resolve(name);
    Matcher links = LINK.matcher(Files.readString(page));
    while (links.find()) {
      Path target =
          links.group(1).isEmpty() ? page : page.resolveSibling(links.group(1)).normalize();
      assertThat(target).as(links.group()).exists();
      if (links.group(2) != null) {
        assertThat(headings(target)).as(links.group()).contains(links.group(2));
      }
    }
  }

  private static List<String> headings(Path page) throws IOException {
    return Files.readAllLines(page).stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(line -> line.replaceAll("[^\\w -]", "").replace(' ', '-'))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("snippets")
  @ResourceLock(Resources.SYSTEM_OUT)
  void snippetsRun(Page.Block snippet) throws Throwable {
    ReadersCode.reset(folder);

    String printed = Snippet.run(snippet.text(), folder);

    assertThat(printed).matches(snippet.outputPattern());
    if (snippet.text().contains("lossGradient(")) {
      assertThat(ReadersCode.lossRatio()).as("last loss over first").isLessThan(0.1);
    }
  }
}
