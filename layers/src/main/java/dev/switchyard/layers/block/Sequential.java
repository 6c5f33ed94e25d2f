package dev.switchyard.layers.block;

import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;

/**
 * Layers one after the other:
 *
 * <pre>
 *   y = f_n(... f_2(f_1(x)))
 * </pre>
 *
 * What a layer hands to the next is nobody else's: its storage is used again once that has computed
 * with it, unless a layer keeps it for the way back.
 */
public final class Sequential implements Layer {
  private final List<Layer> layers;

  /**
   * A layer of others.
   *
   * @param layers in the order in which they compute; none for the identity
   */
  public Sequential(Layer... layers) {
    this(List.of(layers));
  }

  /**
   * A layer of others.
   *
   * @param layers in the order in which they compute; none for the identity
   */
  public Sequential(List<? extends Layer> layers) {
    this.layers = List.copyOf(layers);
  }

  // x [rows, features] -> y [rows, features of the last layer]
  @Override
  @SuppressWarnings("ReferenceEquality") // the very tensor that was passed in
  public Tensor forward(Tape tape, Tensor x) {
    Tensor y = x;
    for (Layer layer : layers) {
      Tensor before = y;
      y = layer.forward(tape, before);
      // A layer may have passed on its input, or a view of it.
      if (before != x && before.value().data() != y.value().data()) {
        tape.release(before);
      }
    }
    return y;
  }

  @Override
  public List<? extends Model> parts() {
    return layers;
  }
}
