package dev.switchyard.layers.block;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.testkit.GradientCheck;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequentialTest {
  private final Kernels kernels = Fixtures.kernels("vector", 2);
  private final Linear first = new Linear("first", 5, 9, Precision.FLOAT32, RANDOM.split(1));
  private final LayerNorm norm = new LayerNorm("norm", 9);
  private final Linear second = new Linear("second", 9, 3, Precision.FLOAT32, RANDOM.split(2));
  private final FloatMatrix x = gaussian(7, 5, 1);

  @Test
  void isItsLayersOneAfterTheOther() {
    Tape none = Tape.none(kernels);
    Tensor by = first.forward(none, Tensor.of(x));
    by = second.forward(none, new Gelu().forward(none, norm.forward(none, by)));
    Layer all = new Sequential(first, norm, new Gelu(), second);
    for (Tape tape : List.of(none, Tape.inference(kernels), Tape.recording(kernels))) {
      assertThat(all.forward(tape, Tensor.of(x)).value().toArray()).isEqualTo(by.value().toArray());
    }
    assertThat(all.parts()).map(Object::getClass).hasSize(4);
    assertThat(all.parameters()).hasSize(6);
    assertThat(all.linears()).containsExactly(first, second);
  }

  @Test
  void gradients() {
    Layer all = new Sequential(first, new Sequential(norm, new Gelu()), second);
    Fixtures.disturb(all.parameters(), 0.3f);
    GradientCheck.check(kernels, all, x);
  }

  @Test
  void ofNothingIsTheIdentity() {
    Tensor in = Tensor.of(x);
    assertThat(new Sequential().forward(Tape.recording(kernels), in)).isSameAs(in);
  }

  /** A layer passes on what it was given, or a view of it: storage that must not be used again. */
  @Test
  void layersMayPassOnTheirInputs() {
    Layer view =
        new Layer() {
          @Override
          public Tensor forward(Tape tape, Tensor in) {
            return tape.node(in.value().columnRange(1, 8))
                .from(in)
                .backward(
                    (gy, kept) -> {
                      FloatMatrix gx = FloatMatrix.allocate(in.rows(), in.cols());
                      gy.copyTo(gx.columnRange(1, 8));
                      FloatMatrix taken = tape.take(in.rows(), in.cols());
                      gx.copyTo(taken);
                      tape.addGrad(in, taken);
                    });
          }
        };
    Linear last = new Linear("last", 7, 9, Precision.FLOAT32, RANDOM.split(3));
    Layer all =
        new Sequential(first, new Dropout(0.5f, RANDOM), view, new Sequential(), last, norm);
    Tape tape = Tape.inference(kernels);
    float[] expected = all.forward(Tape.none(kernels), Tensor.of(x)).value().toArray();
    for (int step = 0; step < 3; step++) {
      assertThat(all.forward(tape, Tensor.of(x)).value().toArray()).isEqualTo(expected);
      tape.reset();
    }
    Layer checked = new Sequential(first, view, last, norm);
    Fixtures.disturb(checked.parameters(), 0.3f);
    GradientCheck.check(kernels, checked, x);
  }

  @Test
  void givesBackWhatIsInBetween() {
    Layer[] same = new Layer[10];
    for (int i = 0; i < same.length; i++) {
      same[i] = new Linear("l" + i, 5, 5, Precision.FLOAT32, RANDOM.split(i));
    }
    Tape few = Tape.inference(kernels);
    new Sequential(same[0], same[1], same[2]).forward(few, Tensor.of(x));
    Tape many = Tape.inference(kernels);
    new Sequential(same).forward(many, Tensor.of(x));
    assertThat(many.bytesHeld()).isPositive().isEqualTo(few.bytesHeld());
  }
}
