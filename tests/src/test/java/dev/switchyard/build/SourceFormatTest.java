package dev.switchyard.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every source file of every module is formatted as google-java-format does it. To have it rewrite
 * the files that are not:
 *
 * <pre>{@code
 * mvn -q -pl tests -am verify -Pfull -Dtest=SourceFormatTest -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dformat.write=true
 * }</pre>
 */
@Tag("full")
class SourceFormatTest {
  private static final Path ROOT = Path.of("..");
  private static final PathMatcher SOURCE =
      FileSystems.getDefault().getPathMatcher("glob:**/src/{main,test}/java/**.java");
  private static final ToolProvider FORMATTER =
      ToolProvider.findFirst("google-java-format").orElseThrow();

  @Test
  void everySourceFileIsFormatted() throws IOException {
    String mode = Boolean.getBoolean("format.write") ? "--replace" : "--dry-run";
    List<String> sources = sources();
    assertThat(sources).isNotEmpty();

    StringWriter differing = new StringWriter();
    StringWriter unreadable = new StringWriter();
    FORMATTER.run(
        new PrintWriter(differing, true),
        new PrintWriter(unreadable, true),
        Stream.concat(Stream.of(mode), sources.stream()).toArray(String[]::new));

    assertThat(unreadable.toString().lines()).as("files that do not parse").isEmpty();
    assertThat(differing.toString().lines())
        .as(
            "files not formatted; the Javadoc of SourceFormatTest has the command that formats"
                + " them")
        .isEmpty();
  }

  private static List<String> sources() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT)) {
      return files.filter(SOURCE::matches).map(Path::toString).sorted().toList();
    }
  }
}
