package dev.switchyard.testkit;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.opentest4j.AssertionFailedError;

/**
 * How accurate the linear layers of a model are on the data that you train with. While a step of
 * yours runs, each layer computes what it gets once more, beside a twin in float32 with the same
 * weight; so what is measured is the layer's own error, and not that of the layers before it.
 *
 * <pre>{@code
 * QuantizationReport report = QuantizationReport.of(kernels, model, tape -> {
 *   Tensor loss = crossEntropy.forward(tape, model.forward(tape, Tensor.of(batch)), labels);
 *   tape.backward(loss);
 * });
 * System.out.println(report);
 * report.assertSnr(20);
 * }</pre>
 *
 * @param layers in the order of {@link Model#linears()}, those that were used
 */
public record QuantizationReport(List<LayerAccuracy> layers) {
  /**
   * Runs a step and measures.
   *
   * @param kernels what computes
   * @param model whose layers are measured
   * @param step runs the model on a tape that records, and goes back if gradients are to be
   *     measured; gradients of parameters are added to as in any step
   * @return the report
   * @throws IllegalArgumentException if the step used no linear layer of the model
   */
  public static QuantizationReport of(Kernels kernels, Model model, Consumer<Tape> step) {
    Map<Linear, LayerTrial> trials = new LinkedHashMap<>();
    model.linears().forEach(layer -> trials.put(layer, new LayerTrial(kernels, layer)));
    Tape tape = Tape.recording(kernels);
    tape.watch(
        (layer, x) -> {
          LayerTrial trial = trials.get(layer);
          if (trial == null) {
            return gy -> {}; // of another model in the same step
          }
          FloatMatrix kept = x.copy(); // the tape may use the storage again
          trial.forward(kept);
          return gy -> trial.backward(kept, gy);
        });
    step.accept(tape);
    List<LayerAccuracy> layers =
        trials.values().stream().filter(LayerTrial::ran).map(LayerTrial::result).toList();
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          "the step used none of the model's "
              + trials.size()
              + " linear layers (expected it to run the model on the tape it is given)");
    }
    return new QuantizationReport(layers);
  }

  /**
   * Asserts that the output and the gradients of each layer have a signal-to-noise ratio.
   *
   * @param decibels the lowest that is allowed
   * @throws AssertionFailedError with the report, if a layer is below it
   */
  public void assertSnr(double decibels) {
    List<String> below =
        layers.stream()
            .filter(layer -> !reaches(layer, decibels))
            .map(LayerAccuracy::name)
            .toList();
    if (!below.isEmpty()) {
      throw new AssertionFailedError(
          String.format(
              Locale.ROOT,
              "signal-to-noise ratio below %.1f dB in %d of %d layers: %s%n%s",
              decibels,
              below.size(),
              layers.size(),
              String.join(", ", below),
              this));
    }
  }

  private static boolean reaches(LayerAccuracy layer, double decibels) {
    return layer.output() >= decibels
        && layer.inputGradient().orElse(decibels) >= decibels
        && layer.weightGradient().orElse(decibels) >= decibels;
  }

  /** The report as a table, a line for each layer. */
  @Override
  public String toString() {
    List<List<String>> table = new ArrayList<>();
    table.add(
        List.of(
            "layer",
            "precision",
            "rows",
            "output dB",
            "input gradient dB",
            "weight gradient dB",
            "clipped",
            "lost",
            "zero rows",
            "worst rows (dB)"));
    for (LayerAccuracy layer : layers) {
      table.add(
          List.of(
              layer.name(),
              layer.precision(),
              Integer.toString(layer.rows()),
              decibels(layer.output()),
              decibels(layer.inputGradient()),
              decibels(layer.weightGradient()),
              percent(layer.clipped()),
              percent(layer.lost()),
              Integer.toString(layer.zeroRows()),
              layer.worstRows().stream()
                  .map(row -> row.index() + " (" + decibels(row.snr()) + ")")
                  .collect(Collectors.joining(", "))));
    }
    int[] widths = new int[table.getFirst().size()];
    for (List<String> line : table) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    return table.stream()
        .map(line -> aligned(line, widths))
        .collect(Collectors.joining(System.lineSeparator()));
  }

  private static String aligned(List<String> line, int[] widths) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      text.append(line.get(i)).append(" ".repeat(widths[i] - line.get(i).length() + 2));
    }
    return text.toString().stripTrailing();
  }

  private static String decibels(OptionalDouble snr) {
    return snr.isPresent() ? decibels(snr.getAsDouble()) : "-";
  }

  private static String decibels(double snr) {
    return snr == Double.POSITIVE_INFINITY ? "exact" : String.format(Locale.ROOT, "%.1f", snr);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * share);
  }
}
