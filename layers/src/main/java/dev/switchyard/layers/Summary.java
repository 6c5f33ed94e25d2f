package dev.switchyard.layers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The table of {@link Model#summary()}. */
final class Summary {
  private static final List<String> HEAD =
      List.of("part", "kind", "shape", "precision", "parameters");

  private final List<List<String>> rows = new ArrayList<>(List.of(HEAD));

  private Summary() {}

  static String of(Model model) {
    Summary summary = new Summary();
    summary.add(model, "", "");
    return summary.table() + totals(model.parameters());
  }

  private void add(Model part, String above, String indent) {
    List<Parameter> parameters = part.parameters();
    String name = commonName(parameters);
    boolean leaf = part.parts().isEmpty();
    rows.add(
        List.of(
            indent + shortened(name, above),
            part.getClass().getSimpleName(),
            leaf ? shapes(parameters) : "",
            precision(part),
            parameters.isEmpty() ? "" : String.format(Locale.ROOT, "%,d", elements(parameters))));
    part.parts().forEach(child -> add(child, name, indent + "  "));
  }

  private static String precision(Model part) {
    if (!(part instanceof Linear linear)) {
      return "";
    }
    return linear.computesInAWayOfItsOwn() ? "own products" : linear.precision().toString();
  }

  /** Up to where the names of all parameters agree, by whole words between dots. */
  private static String commonName(List<Parameter> parameters) {
    String common = null;
    for (Parameter parameter : parameters) {
      String name = parameter.name();
      String prefix = name.substring(0, Math.max(0, name.lastIndexOf('.')));
      while (common != null && !(prefix + '.').startsWith(common + '.') && !common.isEmpty()) {
        common = common.substring(0, Math.max(0, common.lastIndexOf('.')));
      }
      common = common == null ? prefix : common;
    }
    return common == null ? "" : common;
  }

  private static String shortened(String name, String above) {
    if (name.equals(above)) {
      return name.substring(name.lastIndexOf('.') + 1);
    }
    return !above.isEmpty() && name.startsWith(above + '.')
        ? name.substring(above.length() + 1)
        : name;
  }

  private static String shapes(List<Parameter> parameters) {
    return parameters.stream()
        .map(p -> p.isVector() ? Integer.toString(p.cols()) : p.rows() + "x" + p.cols())
        .collect(Collectors.joining(", "));
  }

  private static long elements(List<Parameter> parameters) {
    return parameters.stream().mapToLong(p -> (long) p.rows() * p.cols()).sum();
  }

  private String table() {
    int[] widths = new int[HEAD.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder table = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        boolean number = i == widths.length - 1;
        line.append(
            String.format(Locale.ROOT, "%" + (number ? "" : "-") + widths[i] + "s  ", row.get(i)));
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }

  private static String totals(List<Parameter> parameters) {
    long all = elements(parameters);
    long learn = elements(parameters.stream().filter(p -> !p.frozen()).toList());
    return String.format(
        Locale.ROOT,
        "%,d parameters, of which %,d learn and %,d are frozen; %.1f MB in float32%n",
        all,
        learn,
        all - learn,
        Float.BYTES * all / 1e6);
  }
}
