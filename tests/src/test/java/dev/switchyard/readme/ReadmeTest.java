package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The snippets of README and GUIDE compile as they stand there, run, print what is shown, and learn
 * where they learn.
 */
class ReadmeTest {
  @TempDir private Path folder;

  static Stream<Page.Block> snippets() throws IOException {
    List<Page.Block> all =
        Stream.of(Page.read("README.md"), Page.read("GUIDE.md"))
            .flatMap(page -> page.blocks().stream())
            .filter(Page.Block::isSnippet)
            .toList();
    assertThat(all).as("snippets of both pages").hasSizeGreaterThan(6);
    return all.stream();
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
