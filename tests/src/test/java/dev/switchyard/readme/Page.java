package dev.switchyard.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A page for readers and its fenced blocks. A block of Java is a file if the line before it names
 * one, as in {@code `src/App.java`:}, and else a snippet of statements. A block of {@code text}
 * that follows a snippet or commands is what they print.
 *
 * @param name of the page
 * @param blocks in their order
 */
public record Page(String name, List<Block> blocks) {
  /** Tests run in the folder of their module. */
  static final Path ROOT = Path.of("..");

  private static final Pattern FENCE =
      Pattern.compile(
          "(?:`([^`\n]+)`:\n+)?^```(\\w+)\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);

  /**
   * A fenced block.
   *
   * @param where page and line
   * @param language that it is written in
   * @param text between the fences
   * @param file that it is, if any
   * @param output that the page shows, if any
   */
  public record Block(
      String where, String language, String text, Optional<String> file, Optional<String> output) {
    boolean isSnippet() {
      return language.equals("java") && file.isEmpty();
    }

    boolean isCommands() {
      return language.equals("sh");
    }

    /**
     * Matches what the page shows: {@code …} stands for what differs from run to run or machine to
     * machine, and alone on a line for any number of lines.
     */
    Pattern outputPattern() {
      return Pattern.compile(
          output
              .orElse("")
              .lines()
              .map(line -> line.equals("…") ? "(.*\n)*" : literally(line))
              .collect(Collectors.joining()));
    }

    private static String literally(String line) {
      return Pattern.compile("…")
          .splitAsStream(line)
          .map(Pattern::quote)
          .collect(Collectors.joining(".*", "", (line.endsWith("…") ? ".*" : "") + "\n"));
    }

    @Override
    public String toString() {
      return where;
    }
  }

  /** Reads a page in the project's folder. */
  public static Page read(String name) throws IOException {
    String page = Files.readString(ROOT.resolve(name));
    List<Block> blocks = new ArrayList<>();
    Matcher fence = FENCE.matcher(page);
    int end = 0;
    while (fence.find()) {
      boolean follows = page.substring(end, fence.start()).isBlank();
      end = fence.end();
      if (fence.group(2).equals("text") && follows) {
        Block printing = blocks.removeLast();
        assertThat(printing.output).as("a second output of " + printing.where).isEmpty();
        blocks.add(
            new Block(
                printing.where,
                printing.language,
                printing.text,
                printing.file,
                Optional.of(fence.group(3))));
      } else {
        long line = page.substring(0, fence.start(2)).lines().count();
        blocks.add(
            new Block(
                name + ":" + line,
                fence.group(2),
                fence.group(3),
                Optional.ofNullable(fence.group(1)),
                Optional.empty()));
      }
    }
    return new Page(name, List.copyOf(blocks));
  }
}
