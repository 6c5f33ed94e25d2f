package dev.switchyard.bench.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.CommandRun;
import dev.switchyard.bench.page.PageTest;
import dev.switchyard.encoders.TinyModel;
import dev.switchyard.kernels.OtherJvm;
import dev.switchyard.layers.coda.AdapterFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.SAXException;

/** The commands adapt and predict, on a model and on texts of a few words. */
class AdaptCommandTest {
  @TempDir Path folder;
  private Path model;
  private Path data;
  private Path out;

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder.resolve("model"));
    data = folder.resolve("texts.tsv");
    out = folder.resolve("out");
    StringBuilder texts = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      texts.append("spam\tfree money").append(i % 2 == 0 ? "" : " offer the").append('\n');
      texts.append("ham\tthe meeting").append(i % 3 == 0 ? "" : " a code lunch !").append('\n');
    }
    Files.writeString(data, texts);
  }

  private CommandRun adapt(String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--model", model.toString());
    options.put("--data", data.toString());
    options.put("--out", out.toString());
    options.put("--max-tokens", "12");
    options.put("--bottleneck", "4");
    options.put("--light-steps", "3");
    options.put("--rate", "0.02");
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    options.values().removeIf(String::isEmpty);
    List<String> arguments = new ArrayList<>(List.of("adapt"));
    options.forEach((name, value) -> arguments.addAll(List.of(name, value)));
    return CommandRun.of(arguments.toArray(String[]::new));
  }

  private CommandRun predict(String input, String adapter, Path ofModel) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    try {
      return CommandRun.of(
          "predict",
          "--adapter",
          out.resolve(adapter + ".safetensors").normalize().toString(),
          "--model",
          ofModel.toString());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void comparesVariantsAndKeepsWhatTheyLearned()
      throws IOException, SAXException, ParserConfigurationException {
    CommandRun run = adapt("--epochs", "20", "--precision", "FLOAT32");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("64 for training and 16 for tests, in 2 classes")
        .contains("macro F1 %", "new parameters %", "texts/s int8")
        .contains("dense with parallel adapter", "CoDA, r = 3", "CoDA, r = 5")
        .contains("first tokens, r = 3", "random tokens, r = 3", "adapter alone")
        .contains("Written to " + out);
    // Texts of words that only one class has: anything less would be a defect.
    assertThat(run.out()).containsPattern("dense with parallel adapter +100.00 +100.00");

    String page = Files.readString(out.resolve("adapt.html"));
    assertThat(PageTest.parse(page).getElementsByTagName("svg").getLength()).isEqualTo(2);
    assertThat(page).contains("Which words are computed", "ham:", "[CLS]", "Measured with");
    assertThat(Files.readString(out.resolve("result.json")))
        .contains("\"variant\" : \"coda-r5\"", "\"textsPerSecondInt8\"", "\"machine\"");

    CommandRun predicted = predict("free money\nthe meeting\n\nfree money", "dense", model);
    assertThat(predicted.exitCode()).as(predicted.err()).isZero();
    assertThat(predicted.out().lines().map(line -> line.substring(0, line.indexOf('\t'))))
        .hasSize(4)
        .startsWith("spam", "ham")
        .endsWith("spam");
    assertThat(predicted.out().lines().allMatch(line -> line.matches("(sp|h)am\t[01]\\.\\d{4}")))
        .isTrue();
    assertThat(predict("free money", "coda-r3", model).exitCode()).isZero();
    assertThat(predict("", "coda-r3", model).out()).isEmpty();
    assertThat(page).contains("as good as the dense encoder", "95 % interval");
    assertThat(out.resolve("checkpoints")).doesNotExist();
    assertThat(out).isDirectoryNotContaining("glob:**.lock");

    CommandRun again = adapt("--epochs", "1");
    assertThat(again.exitCode()).isEqualTo(2);
    assertThat(again.err())
        .contains(
            out.resolve("result.json") + " is there already (expected another folder for --out");
    assertThat(out.resolve("adapt.html")).hasContent(page);
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void predictRefusesWhatIsNotUtf8() throws IOException {
    assertThat(adapt("--epochs", "1", "--only", "first").exitCode()).isZero();
    InputStream before = System.in;
    System.setIn(
        new ByteArrayInputStream("free\ncaf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1)));
    try {
      CommandRun run =
          CommandRun.of(
              "predict",
              "--adapter",
              out.resolve("first.safetensors").toString(),
              "--model",
              model.toString());
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.err()).contains("line 2 of the standard input is not UTF-8");
    } finally {
      System.setIn(before);
    }
  }

  /** The real command, on which whoever reads its first line alone hangs up. */
  @Tag("full")
  @EnabledOnOs(OS.LINUX)
  @Test
  void predictEndsWithItsReader() throws IOException, InterruptedException {
    assertThat(adapt("--epochs", "1", "--only", "first").exitCode()).isZero();
    String predict =
        String.format(
            Locale.ROOT,
            "../bench/switchyard predict --adapter '%s' --model '%s'",
            out.resolve("first.safetensors"),
            model);

    Process process =
        OtherJvm.builder(
                List.of(
                    "bash",
                    "-c",
                    "yes 'free money' 2>/dev/null | "
                        + predict
                        + " | head -1; echo ${PIPESTATUS[1]}"))
            .redirectOutput(folder.resolve("output").toFile())
            .start();

    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("ends").isTrue();
    assertThat(folder.resolve("output"))
        .content()
        .matches(
            "(WARNING: Using incubator .*\n)?(sp|h)am\t[01]\\.\\d{4}\n141\n"); // as if by SIGPIPE
  }

  @Test
  void aFileThatIsNoModelIsCalledSo() {
    CommandRun run = adapt("--model", data.toString());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains(data.toString()).doesNotContain("tokenizer");
    run = adapt("--model", folder.resolve("none.safetensors").toString());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .contains(folder.resolve("none.safetensors") + " does not exist")
        .doesNotContain("tokenizer", "Exception");
    assertThat(out).doesNotExist();
  }

  /** What the encoder's folder says of pooling holds for its head too, and in its file. */
  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void poolsAsTheEncoderWasMadeFor() throws IOException {
    Path config = Files.createDirectories(folder.resolve("model/1_Pooling")).resolve("config.json");
    Files.writeString(config, "{\"pooling_mode_max_tokens\": true}");
    CommandRun refused = adapt();
    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.err()).contains("has the pooling max (expected", "choose with --pooling");

    Files.writeString(config, "{\"pooling_mode\": \"cls\"}");
    CommandRun run = adapt("--epochs", "1", "--only", "adapter");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(AdapterFile.read(out.resolve("adapter.safetensors")).notes())
        .containsEntry("pooling", "FIRST");
    assertThat(predict("free money", "adapter", model).exitCode()).isZero();
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void looksAtAsManyTokensAsTheEncoderTakes() throws IOException {
    Path config = model.resolveSibling("sentence_bert_config.json");
    Files.writeString(config, "{\"max_seq_length\": 5}");
    CommandRun run = adapt("--epochs", "1", "--only", "first", "--max-tokens", "");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(Files.readString(out.resolve("result.json"))).contains("\"maxTokens\" : \"5\"");
    Files.writeString(config, "{\"max_seq_length\": 0}");
    run = adapt("--out", folder.resolve("other").toString(), "--max-tokens", "");
    assertThat(run.err()).contains("0 for max_seq_length", "; choose with --max-tokens");
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void predictRefusesAnotherEncoder() throws IOException {
    assertThat(adapt("--epochs", "1", "--only", "coda-r3").exitCode()).isZero();
    assertThat(out.resolve("random.safetensors")).doesNotExist();
    Path other = TinyModel.writeOther(folder.resolve("other"));
    CommandRun run = predict("free money", "coda-r3", other);
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("was made for the base sha256:", "same pretrained model");
    run = predict("free money", "missing", model);
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("the adapter cannot be read:");
  }

  /** The system does not say which file is one. */
  @Test
  void aFolderInPlaceOfAFileIsNamed() throws IOException {
    Path wrong = Files.createDirectory(folder.resolve("wrong.safetensors"));
    CommandRun run = predict("free money", "../wrong", model);
    assertThat(run.err()).contains("the adapter cannot be read: ", "wrong.safetensors", "irectory");
    run = adapt("--model", wrong.toString());
    assertThat(run.err()).contains("the encoder cannot be read: ", wrong.toString());
    run = adapt("--tokenizer", folder.toString());
    assertThat(run.err()).contains("the tokenizer cannot be read: " + folder);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--max-tokens 13 | --max-tokens is 13 but the encoder has 12 positions (expected no more)",
        "--epochs 0 | --epochs is 0 (expected 1 to 10000)",
        "--eps 0 | first eps is 0.0",
        "--rate 2 | --rate is 2.0 (expected more than 0, to 1)",
        "--light-steps -1 | --light-steps is -1 (expected 0 or more)",
        "--only nothing | --only names nothing, which is no variant",
        "--bottleneck 0 | --bottleneck is 0 (expected 1 to 65536)",
        "--gate x | Invalid value for option '--gate'"
      })
  void refusesOptionsThatMakeNoSense(String option, String message) {
    CommandRun run = adapt(option.split(" ", -1));
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message);
    assertThat(out).doesNotExist();
  }
}
