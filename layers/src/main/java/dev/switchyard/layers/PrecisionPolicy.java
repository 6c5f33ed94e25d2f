package dev.switchyard.layers;

import dev.switchyard.kernels.data.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which linear layers of a model are to compute in which precision. Immutable: start from {@link
 * #to} and change what differs.
 *
 * <p>Names are those of {@link Linear#name()}. In a pattern, {@code *} stands for any characters:
 * {@code blocks.*}, {@code *.feedForward.*}. Wortsman et al. 2023 convert the four linear layers of
 * each block, and leave embeddings and heads as they are.
 *
 * @param precision what to convert to
 * @param weightGradient to what the operands of weight gradients are rounded
 * @param include patterns, one of which a name must match; any name does if there are none
 * @param exclude patterns, none of which a name may match
 * @param smallest layers with fewer inputs or outputs are left alone
 */
public record PrecisionPolicy(
    Precision precision,
    ElementType weightGradient,
    List<String> include,
    List<String> exclude,
    int smallest) {
  /**
   * From 64 inputs and outputs on, int8 is faster than float32. Forward and backward pass, weight
   * gradient in bfloat16, 512 and 4096 rows, against float32 on a processor with AVX-512, VNNI and
   * bfloat16: 16x16 0.3 x, 32x32 0.8 x, 64x64 0.9 to 1.2 x, 128x128 1.5 to 1.6 x, 384x384 2.3 to
   * 2.5 x; and with 10 to 32 on one side but many on the other 0.8 to 1.4 x.
   */
  public static final int CROSSOVER = 64;

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the size is negative, or the precision does not compute
   *     weight gradients in the type
   */
  public PrecisionPolicy {
    Objects.requireNonNull(precision, "precision");
    precision.requireWeightGradient(weightGradient);
    include = List.copyOf(include);
    exclude = List.copyOf(exclude);
    if (smallest < 0) {
      throw new IllegalArgumentException("smallest is " + smallest + " (expected 0 or more)");
    }
  }

  /**
   * All layers that are large enough to gain.
   *
   * @param precision what to convert to
   * @return the policy
   */
  public static PrecisionPolicy to(Precision precision) {
    return new PrecisionPolicy(
        precision, precision.weightGradient(), List.of(), List.of(), CROSSOVER);
  }

  /**
   * The same with another type of the weight gradient.
   *
   * @param type as in {@link LinearBuilder#weightGradient}
   * @return the policy
   */
  public PrecisionPolicy withWeightGradient(ElementType type) {
    return new PrecisionPolicy(precision, type, include, exclude, smallest);
  }

  /**
   * The same for some layers only, and for those that an earlier call included.
   *
   * @param patterns one of which, or of the earlier ones, a name must match
   * @return the policy
   */
  public PrecisionPolicy including(String... patterns) {
    return new PrecisionPolicy(
        precision, weightGradient, joined(include, patterns), exclude, smallest);
  }

  /**
   * The same but for some more layers.
   *
   * @param patterns none of which, nor of the earlier ones, a name may match
   * @return the policy
   */
  public PrecisionPolicy excluding(String... patterns) {
    return new PrecisionPolicy(
        precision, weightGradient, include, joined(exclude, patterns), smallest);
  }

  private static List<String> joined(List<String> earlier, String... more) {
    return Stream.concat(earlier.stream(), Stream.of(more)).toList();
  }

  /**
   * The same with another size filter.
   *
   * @param inputsAndOutputs a layer has at least so many of both; 0 for no filter
   * @return the policy
   */
  public PrecisionPolicy withSmallest(int inputsAndOutputs) {
    return new PrecisionPolicy(precision, weightGradient, include, exclude, inputsAndOutputs);
  }

  /** Why a layer is left alone; empty if it is not. */
  String reasonAgainst(Linear layer) {
    String name = layer.name();
    if (!include.isEmpty() && include.stream().noneMatch(pattern -> matches(pattern, name))) {
      return "not included by " + String.join(", ", include);
    }
    for (String pattern : exclude) {
      if (matches(pattern, name)) {
        return "excluded by " + pattern;
      }
    }
    if (Math.min(layer.weight().rows(), layer.weight().cols()) < smallest) {
      return "fewer than " + smallest + " inputs or outputs";
    }
    if (layer.weight().released()) {
      return "its weight was released";
    }
    if (layer.computesInAWayOfItsOwn()) {
      return "computes its products in a way of its own";
    }
    return layer.computesAllIn(precision, weightGradient) ? "is " + precision + " already" : "";
  }

  /** The patterns, included or excluded, that no layer's name matches. */
  List<String> idle(List<Linear> layers) {
    return Stream.concat(include.stream(), exclude.stream())
        .filter(pattern -> layers.stream().noneMatch(layer -> matches(pattern, layer.name())))
        .distinct()
        .toList();
  }

  private static boolean matches(String pattern, String name) {
    return Arrays.stream(pattern.split("\\*", -1))
        .map(Pattern::quote)
        .collect(Collectors.collectingAndThen(Collectors.joining(".*"), Pattern::compile))
        .matcher(name)
        .matches();
  }
}
