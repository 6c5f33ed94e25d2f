package dev.switchyard.layers;

import java.util.List;
import java.util.Locale;

/**
 * What a conversion of {@link Precisions} did to each linear layer of a model, and the way back.
 */
public final class Conversion {
  /**
   * A layer that was converted.
   *
   * @param name its name
   * @param out its outputs
   * @param in its inputs
   * @param from the precision before, that of the output if its products differed
   * @param to the precision now
   */
  public record Converted(String name, int out, int in, Precision from, Precision to) {}

  /**
   * A layer that was left as it is.
   *
   * @param name its name
   * @param out its outputs
   * @param in its inputs
   * @param precision its precision
   * @param reason why it was left
   */
  public record Left(String name, int out, int in, Precision precision, String reason) {}

  /** A layer, how it computed before, and how since. */
  record Change(Linear layer, Linear.Computation before, Linear.Computation since) {}

  private final List<Change> changes;
  private final List<Linear> layers;
  private final List<Converted> converted;
  private final List<Left> left;
  private final List<String> idlePatterns;

  Conversion(List<Change> changes, List<Left> left, List<String> idlePatterns) {
    this.changes = List.copyOf(changes);
    this.layers = changes.stream().map(Change::layer).toList();
    this.left = List.copyOf(left);
    this.idlePatterns = List.copyOf(idlePatterns);
    this.converted =
        changes.stream()
            .map(
                change -> {
                  Parameter weight = change.layer().weight();
                  return new Converted(
                      change.layer().name(),
                      weight.rows(),
                      weight.cols(),
                      change.before().precision(),
                      change.since().precision());
                })
            .toList();
  }

  /** Makes all changes, or after an error none. */
  void apply() {
    Linear.compute(layers, changes.stream().map(Change::since).toList());
  }

  /**
   * The layers that were converted.
   *
   * @return them, in the order of the model
   */
  public List<Converted> converted() {
    return converted;
  }

  /**
   * The layers that were left as they are.
   *
   * @return them, in the order of the model
   */
  public List<Left> left() {
    return left;
  }

  /**
   * The patterns of the policy that fit no layer: none is included or excluded by them, as where
   * one is mistyped.
   *
   * @return them, in the order of the policy
   */
  public List<String> idlePatterns() {
    return idlePatterns;
  }

  /**
   * Makes all converted layers compute as before, with the values that their parameters have now;
   * after an error none does.
   *
   * @throws IllegalStateException if one was converted again since, or this was undone already;
   *     nothing is changed then
   */
  @SuppressWarnings("ReferenceEquality") // a layer has the very computation that it was given
  public void undo() {
    for (Change change : changes) {
      if (change.since() != change.layer().computation()) {
        throw new IllegalStateException(
            "layer "
                + change.layer().name()
                + " no longer computes as this conversion made it (expected the latest conversion"
                + " to be undone first, and each once)");
      }
    }
    Linear.compute(layers, changes.stream().map(Change::before).toList());
  }

  /** A table, a line for each layer and each pattern that fits none. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Converted c : converted) {
      row(text, c.name(), c.out(), c.in(), c.from() + " to " + c.to());
    }
    for (Left l : left) {
      row(text, l.name(), l.out(), l.in(), "left in " + l.precision() + ": " + l.reason());
    }
    idlePatterns.forEach(
        pattern -> text.append(String.format(Locale.ROOT, "%s fits no layer%n", pattern)));
    return text.toString();
  }

  private static void row(StringBuilder text, String name, int out, int in, String what) {
    text.append(String.format(Locale.ROOT, "%-40s %5dx%-5d %s%n", name, out, in, what));
  }
}
