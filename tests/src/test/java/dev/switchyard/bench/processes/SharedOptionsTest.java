package dev.switchyard.bench.processes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.bench.Switchyard;
import dev.switchyard.mpi.ThreadRanks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Processes of one command agree on every option, but for those that change nothing they share. */
class SharedOptionsTest {
  private static final Set<String> OWN =
      Set.of("--threads", "--data", "--model", "--tokenizer", "--help", "--version");

  private static CommandSpec parsed(String command, String... arguments) {
    CommandLine line = Switchyard.commandLine();
    line.parseArgs(Stream.concat(Stream.of(command), Stream.of(arguments)).toArray(String[]::new));
    return line.getSubcommands().get(command).getCommandSpec();
  }

  /** Another value than the one of now, by the type of the option. */
  private static String other(OptionSpec option) {
    Object now = option.getValue();
    Class<?> type = option.isMultiValue() ? option.auxiliaryTypes()[0] : option.type();
    if (type == boolean.class) {
      return option.longestName();
    }
    String value =
        type.isEnum()
            ? Arrays.stream(type.getEnumConstants())
                .map(String::valueOf)
                .filter(constant -> !String.valueOf(now).contains(constant))
                .findFirst()
                .orElseThrow()
            : "7"; // a number, a path or a name
    return option.longestName() + "=" + value;
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "adapt", "exchange"})
  void everyOptionThatDiffersIsFound(String command) {
    Map<String, String> usual = SharedOptions.of(parsed(command));
    Set<String> own = new TreeSet<>();
    List<String> shared = new ArrayList<>();
    for (OptionSpec option : parsed(command).options()) {
      Map<String, String> changed = SharedOptions.of(parsed(command, other(option)));
      Map<String, String> expected = new HashMap<>(usual);
      if (SharedOptions.isOwn(option)) {
        own.add(option.longestName());
      } else {
        shared.add(option.longestName());
        expected.put(option.longestName(), changed.get(option.longestName()));
        assertThat(changed).as(option.longestName()).isNotEqualTo(usual);
      }
      assertThat(changed).isEqualTo(expected);
    }
    assertThat(shared).hasSizeGreaterThan(1).containsAll(usual.keySet());
    assertThat(OWN).containsAll(own);
  }

  @Test
  void anotherBackendIsWorthASentence() throws Exception {
    ThreadRanks.run(
        3,
        collective -> {
          List<String> warnings = new ArrayList<>();
          Processes processes = new Processes(collective, "");
          processes.warnOfOtherBackends("x86-avx2", warnings::add);
          assertThat(warnings).isEmpty();
          String mine = collective.rank() == 1 ? "vector" : "x86-avx2";
          processes.warnOfOtherBackends(mine, warnings::add);
          assertThat(warnings).hasSize(collective.rank() == 0 ? 1 : 0);
          assertThat(String.join("", warnings))
              .isEqualTo(
                  collective.rank() > 0
                      ? ""
                      : "process 1 computes with the backend vector but process 0 with x86-avx2,"
                          + " which round floats in other ways: their parameters will not stay the"
                          + " same to the last bit (-Dswitchyard.backend=NAME sets one for all)");
        });
  }
}
