package dev.switchyard.bench;

import dev.switchyard.bench.data.DataException;
import dev.switchyard.bench.measuring.Measuring;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A command of the module that measures. The list of commands has it where the module is missing
 * too, so that one asks for what fetches it.
 */
enum MeasuringCommand {
  MATMUL("Measures a product in each backend, beside oneDNN and OpenBLAS."),
  STEP("Measures a training step of a linear layer, beside oneDNN, OpenBLAS and PyTorch."),
  CODA("Measures conditional layers, beside the dense one."),
  BENCH("Runs all benchmarks with JMH, beside other libraries, and keeps the results."),
  SOAK("Trains small random models for hours, some with a fault, and compares bits.");

  private final String about;

  MeasuringCommand(String about) {
    this.about = about;
  }

  /** The command of a name, if it is one of these. */
  static Optional<MeasuringCommand> named(String name) {
    return Arrays.stream(values()).filter(command -> command.key().equals(name)).findFirst();
  }

  private String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The command itself, or one that says how to get it. */
  static void addAll(CommandLine to) {
    Optional<Measuring> measuring = Measuring.find();
    for (MeasuringCommand command : values()) {
      to.addSubcommand(
          command.key(),
          measuring
              .map(module -> (Object) module.commands().get(command.key()))
              .orElseGet(command::missing));
    }
  }

  /** Takes any arguments, since it knows no options. */
  CommandSpec missing() {
    Callable<Integer> fail =
        () -> {
          throw new DataException(
              "the module that measures is not here: bench/switchyard "
                  + key()
                  + " fetches it, with the libraries that it compares with");
        };
    CommandSpec spec = CommandSpec.wrapWithoutInspection(fail).name(key());
    spec.usageMessage().description(about);
    spec.parser().stopAtUnmatched(true).unmatchedArgumentsAllowed(true);
    return spec;
  }
}
