package dev.switchyard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class SwitchyardTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** Where a list below the options would be wrapped, its columns would end. */
  @Test
  void listsOfTheHelpFitATerminal() {
    Switchyard.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) ->
                assertThat(command.getCommandSpec().usageMessage().footer())
                    .as(name)
                    .filteredOn(line -> line.startsWith("  "))
                    .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(79)));
  }

  @Test
  void helpNamesTheSubcommands() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString())
        .contains(
            "Usage: switchyard", "train", "adapt", "predict", "matmul", "step", "coda", "doctor");
  }

  /** The launcher has fetched the module that measures where one of its commands is asked for. */
  @ParameterizedTest
  @EnumSource(MeasuringCommand.class)
  void withoutTheModuleThatMeasuresACommandSaysWhatFetchesIt(MeasuringCommand command) {
    String name = command.name().toLowerCase(Locale.ROOT);
    CommandLine all = Switchyard.commandLine();
    assertThat(all.getSubcommands()).containsKey(name);
    all.getCommandSpec().removeSubcommand(name);
    all.addSubcommand(name, command.missing());
    all.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    assertThat(all.execute("--help")).isZero();
    assertThat(out.toString()).contains("  " + name);
    assertThat(all.execute(name, "--rows", "3", "more")).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            String.format(
                Locale.ROOT,
                "switchyard %s: the module that measures is not here: bench/switchyard %s fetches"
                    + " it, with the libraries that it compares with%n",
                name,
                name));
  }

  @Test
  void versionNamesProgramAndJdk() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).contains("switchyard ", "JDK " + Runtime.version());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--precision",
        "--epochs",
        "--batch",
        "--width",
        "--depth",
        "--heads",
        "--threads",
        "--seed",
        "--data",
        "--out"
      })
  void helpOfTrainNamesEachOption(String option) {
    assertThat(run("train", "--help")).isZero();
    assertThat(out.toString()).contains("Usage: switchyard train").contains(option + "=");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "trian                         | Unmatched argument at index 0: 'trian' (did you mean"
            + " train",
        "train --epoch 3               | Unknown options: '--epoch', '3' (did you mean --epochs?)",
        "train --bogus                 | Unknown option: '--bogus'",
        "train extra                   | Unmatched argument at index 1: 'extra'",
        "train --epochs x              | Invalid value for option '--epochs': 'x' is not an int",
        "train --precision FLOAT32,foo | FLOAT32, BFLOAT16, SWITCHBACK",
        "train --precision INT8_ALL,int8_all | [INT8_ALL, INT8_ALL] (expected each at most once)",
        "train --epochs 0              | --epochs is 0 (expected 1 to 10000)",
        "train --batch 4097            | --batch is 4097 (expected 1 to 4096)",
        "train --width 0               | --width is 0 (expected 1 to 4096)",
        "train --depth 65              | --depth is 65 (expected 1 to 64)",
        "train --heads -1              | --heads is -1 (expected 1 to 256)",
        "train --peer --task CLIP       | --peer trains in PyTorch, which is made for CLASSIFY with"
            + " ADAMW, but --task is CLIP",
        "train --threads 0             | --threads is 0 (expected 1 to 1024)",
        "train --width 100 --heads 3   | --width is 100 but --heads is 3 (expected a width that the"
            + " heads divide)",
      })
  void usageErrorIsOneSentenceAndExitCode2(String commandLine, String sentence) {
    List<String> arguments = new ArrayList<>(List.of(commandLine.split(" ")));
    if (arguments.contains("train")) {
      // Should the mistake go unnoticed, the folder is not littered.
      arguments.addAll(List.of("--out", folder.resolve("out").toString()));
    }

    assertThat(run(arguments.toArray(String[]::new))).isEqualTo(2);
    assertThat(err.toString()).contains(sentence).endsWith(" --help" + System.lineSeparator());
    assertOneLine();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void withoutACommandThereIsTheList() {
    assertThat(run()).isEqualTo(2);
    assertThat(err.toString()).contains("Usage: switchyard", "train", "doctor");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void outThatIsAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "precious");

    assertThat(run("train", "--out", file.toString())).isEqualTo(2);
    assertThat(err.toString())
        .contains("--out is " + file + " but " + file + " is a file (expected a folder)");
    assertOneLine();
    assertThat(file).hasContent("precious");
  }

  @Test
  void outBelowAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "precious");

    assertThat(run("train", "--out", file.resolve("out").toString())).isEqualTo(2);
    assertThat(err.toString()).contains("but " + file + " is a file (expected a folder)");
    assertOneLine();
  }

  @Test
  void dataErrorIsOneSentenceAndExitCode1() {
    Path absent = folder.resolve("absent");

    int exitCode =
        run("train", "--data", absent.toString(), "--out", folder.resolve("out").toString());

    assertThat(exitCode).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            "switchyard train: "
                + absent
                + " is not a folder (expected one that holds the Fashion-MNIST files)"
                + System.lineSeparator());
    assertThat(folder).isEmptyDirectory();
  }

  private int run(String... arguments) {
    CommandLine command = Switchyard.commandLine();
    return command
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }

  private void assertOneLine() {
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(out.toString()).isEmpty();
  }
}
