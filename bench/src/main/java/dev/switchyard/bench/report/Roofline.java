package dev.switchyard.bench.report;

import dev.switchyard.bench.page.Findings.Section;
import dev.switchyard.bench.page.Findings.Table;
import dev.switchyard.bench.page.LineChart;
import dev.switchyard.kernels.data.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Products held against what the machine can do at most: the roofline of Williams, Waterman and
 * Patterson 2009. A product of m x k and n x k has 2mnk operations, and moves at least its operands
 * once in and m x n floats out; it can be no faster than the dot instruction on registers alone,
 * nor than these bytes can be moved.
 */
final class Roofline {
  private static final int ROOF_POINTS = 60;

  private final SuiteResults results;
  private final Roofs roofs;
  private final int threads;

  Roofline(SuiteResults results, Roofs roofs) {
    this.results = results;
    this.roofs = roofs;
    this.threads = results.measurements().getFirst().threads();
  }

  /** Operations in a nanosecond. */
  static Spread gops(Measurement product) {
    double[] mnk = sizes(product.shape());
    double operations = 2 * mnk[0] * mnk[1] * mnk[2];
    return product.value().under(operations / nanosIn(product.unit()));
  }

  private static double nanosIn(String unit) {
    return switch (unit) {
      case "ns/op" -> 1;
      case "us/op" -> 1e3;
      case "ms/op" -> 1e6;
      default -> throw new IllegalArgumentException("a product is in " + unit);
    };
  }

  private static double[] sizes(String shape) {
    return Arrays.stream(shape.split("x", -1)).mapToDouble(Double::parseDouble).toArray();
  }

  /** Operations for each byte that has to be moved. */
  private static double intensity(Measurement product) {
    double[] mnk = sizes(product.shape());
    int bytes =
        switch (type(product)) {
          case INT8 -> Byte.BYTES;
          case BFLOAT16 -> Short.BYTES;
          case FLOAT32 -> Float.BYTES;
        };
    double moved = bytes * (mnk[0] + mnk[1]) * mnk[2] + Float.BYTES * mnk[0] * mnk[1];
    return 2 * mnk[0] * mnk[1] * mnk[2] / moved;
  }

  private static ElementType type(Measurement product) {
    return ElementType.valueOf(product.name().type());
  }

  /** A table of shares of the peak, and the roofline. */
  Section section() {
    return new Section(
        "Products and the limits of the machine",
        String.format(
            Locale.ROOT,
            "Gop/s, a multiply-add counted as two, and what part they are of the peak: %s on %s,"
                + " measured with the dot instruction on registers alone. The lines are the most"
                + " that is possible: to the left memory is the limit, with %.1f GB/s, to the right"
                + " the instruction. What lies above the slope finds its operands in a cache.",
            peaks(),
            threads == 1 ? "one thread" : threads + " threads",
            bandwidth()),
        List.of(chart()),
        table());
  }

  private String peaks() {
    List<String> peaks = new ArrayList<>();
    roofs
        .peakGops()
        .forEach(
            (type, peak) -> peaks.add(String.format(Locale.ROOT, "%s %.0f", type, peak * threads)));
    return String.join(", ", peaks);
  }

  /** A copy reads each byte and writes it. */
  private double bandwidth() {
    return 2 * roofs.copyGigabytes();
  }

  private Table table() {
    List<String> header = new ArrayList<>(List.of("shape"));
    header.addAll(results.contestants());
    List<List<String>> rows = new ArrayList<>();
    for (String shape : results.shapes()) {
      List<String> row = new ArrayList<>(List.of(shape));
      for (String contestant : results.contestants()) {
        row.add(results.find(shape, contestant).map(this::cell).orElse(""));
      }
      rows.add(row);
    }
    return new Table(header, rows);
  }

  private String cell(Measurement product) {
    double gops = gops(product).median();
    Double peak = roofs.peakGops().get(type(product).name());
    return peak == null
        ? Measurement.digits(gops)
        : String.format(
            Locale.ROOT, "%s, %.0f %%", Measurement.digits(gops), 100 * gops / (peak * threads));
  }

  private LineChart chart() {
    LineChart chart =
        new LineChart(
                "Products below their limits",
                "operations per byte of operands and result",
                "Gop/s")
            .logarithmic(true, true);
    double most = results.measurements().stream().mapToDouble(Roofline::intensity).max().orElse(1);
    double least = results.measurements().stream().mapToDouble(Roofline::intensity).min().orElse(1);
    for (Map.Entry<String, Double> peak : roofs.peakGops().entrySet()) {
      double knee = peak.getValue() * threads / bandwidth();
      double from = Math.min(least, knee / 4);
      double[] xs = new double[ROOF_POINTS];
      double[] ys = new double[ROOF_POINTS];
      for (int i = 0; i < ROOF_POINTS; i++) {
        xs[i] = from * Math.pow(Math.max(most, knee * 2) / from, i / (ROOF_POINTS - 1.0));
        ys[i] = Math.min(peak.getValue() * threads, xs[i] * bandwidth());
      }
      chart.line("limit of " + peak.getKey(), xs, ys);
    }
    for (String type : roofs.peakGops().keySet()) {
      points(chart, "Switchyard " + type, type, SuiteResults::isOurs);
      points(chart, "fastest peer " + type, type, SuiteResults::isPeer);
    }
    return chart;
  }

  /** The fastest at each shape. */
  private void points(LineChart chart, String name, String type, Predicate<Measurement> meant) {
    List<Measurement> fastest =
        results.shapes().stream()
            .flatMap(
                shape ->
                    results.fastest(shape, meant.and(m -> m.name().type().equals(type))).stream())
            .toList();
    if (!fastest.isEmpty()) {
      chart.points(
          name,
          fastest.stream().mapToDouble(Roofline::intensity).toArray(),
          fastest.stream().mapToDouble(product -> gops(product).median()).toArray());
    }
  }
}
