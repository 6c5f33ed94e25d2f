package dev.switchyard.testkit;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How accurate a linear layer was on the inputs that it got, against float32.
 *
 * @param name the layer's
 * @param precision its {@link dev.switchyard.layers.Linear#precision()}
 * @param rows how many rows of input it got in all
 * @param output the signal-to-noise ratio of its output, in dB; infinite if nothing differs
 * @param inputGradient that of the input's gradient, empty if the layer did not go back or no
 *     gradient of its came along
 * @param weightGradient that of the weight's gradient, empty also if the weight is frozen
 * @param clipped the share of the input's elements that int8 with a scale for each row puts at one
 *     of the ends of its range, -127 or 127: at least one in each row; many where rows are flat
 * @param lost the share that is not 0 but would become 0: many where a few elements are much larger
 *     than the others
 * @param zeroRows how many rows of input were 0 throughout
 * @param worstRows the rows of output that were farthest off
 */
public record LayerAccuracy(
    String name,
    String precision,
    int rows,
    double output,
    OptionalDouble inputGradient,
    OptionalDouble weightGradient,
    double clipped,
    double lost,
    int zeroRows,
    List<Row> worstRows) {
  /**
   * A row of output.
   *
   * @param index counted over all inputs of the layer, from 0
   * @param snr its signal-to-noise ratio in dB
   */
  public record Row(int index, double snr) {}
}
