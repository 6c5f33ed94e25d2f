package dev.switchyard.layers.optim;

import dev.switchyard.layers.Parameter;
import java.util.List;

/**
 * Parameters that are optimized alike.
 *
 * @param parameters the parameters
 * @param rateFactor what the learning rate is multiplied with, 0 or more
 * @param decay decoupled weight decay, 0 or more, for all of them, whatever {@link
 *     Parameter#decays()} says
 */
public record ParameterGroup(List<Parameter> parameters, float rateFactor, float decay) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is negative or not finite
   */
  public ParameterGroup {
    parameters = List.copyOf(parameters);
    Requirement.notNegative("rate factor", rateFactor);
    Requirement.notNegative("decay", decay);
  }

  /**
   * The usual two groups: what {@link Parameter#decays()} with a decay, the rest (vectors such as
   * biases and gains) without.
   *
   * @param parameters all parameters
   * @param decay of those that decay
   * @return the groups
   */
  public static List<ParameterGroup> byDecay(List<Parameter> parameters, float decay) {
    List<Parameter> decaying = parameters.stream().filter(Parameter::decays).toList();
    List<Parameter> others = parameters.stream().filter(p -> !p.decays()).toList();
    return List.of(new ParameterGroup(decaying, 1, decay), new ParameterGroup(others, 1, 0));
  }
}
