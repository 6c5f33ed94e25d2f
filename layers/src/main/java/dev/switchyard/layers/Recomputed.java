package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import java.util.List;

/**
 * Gradient checkpointing (Chen et al. 2016): keeps the input of a layer alone, and on the way back
 * computes the layer again to have what its gradients need. Gradients are the same bits: so are
 * inputs and masks the second time, and a parameter that was changed in between is an error. Who
 * watches the tape, or counts as routers do, is told of the first time alone ({@link
 * Tape#isRepeating()}).
 */
public final class Recomputed implements SequenceLayer {
  private final SequenceLayer layer;

  /**
   * A layer that is computed twice.
   *
   * @param layer what computes
   */
  public Recomputed(SequenceLayer layer) {
    this.layer = layer;
  }

  // x [tokens, features] -> y, as the layer
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    if (!tape.isRecording()) {
      return layer.forward(tape, x, sequences);
    }
    int draws = tape.draws();
    Tape first = tape.part();
    FloatMatrix inside = layer.forward(first, Tensor.of(x.value()), sequences).value();
    FloatMatrix y = tape.result(inside.rows(), inside.cols());
    inside.copyTo(y);
    tape.skipDraws(first.draws());
    first.reset(); // its storage goes to the next layer
    return tape.node(y)
        .from(x)
        .uses(layer.parameters())
        .keeps(x.value())
        .backward((gy, kept) -> backward(tape.again(first, draws), tape, x, sequences, gy));
  }

  // gy, as the layer -> gx [tokens, features]
  private void backward(Tape second, Tape tape, Tensor x, Sequences sequences, FloatMatrix gy) {
    Tensor again = x.wantsGrad() ? Tensor.withGrad(x.value()) : Tensor.of(x.value());
    second.backward(layer.forward(second, again, sequences), gy);
    if (x.wantsGrad()) {
      FloatMatrix gx = tape.take(x.rows(), x.cols());
      again.grad().copyTo(gx);
      tape.addGrad(x, gx);
    }
    second.reset();
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(layer);
  }
}
