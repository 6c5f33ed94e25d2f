package dev.switchyard.layers.block;

import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.LinearBuilder;
import dev.switchyard.layers.LinearProducts;
import dev.switchyard.layers.PackedWeight;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.PrecisionPolicy;
import dev.switchyard.layers.Precisions;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.testkit.GradientCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of a user's own, written with what is public. */
class OwnProductsTest {
  private final Kernels kernels = Fixtures.kernels("vector", 2);

  /** SWITCHBACK_M again. */
  private record SwitchBack(Parameter weight, PackedWeight forward, PackedWeight backward)
      implements LinearProducts {
    SwitchBack(Parameter weight) {
      this(weight, new PackedWeight(), new PackedWeight());
    }

    private void pack(Tape tape, Form form, PackedWeight packed) {
      if (packed.isStale(weight, tape.kernels())) {
        QuantizedMatrix q = quantized(tape, Scaling.TENSOR, weight.value());
        tape.kernels().pack(ElementType.INT8, form, q, packed.toFill());
        packed.markPacked(weight, tape.kernels());
        tape.giveBack(q);
      }
    }

    private QuantizedMatrix quantized(Tape tape, Scaling scaling, FloatMatrix x) {
      QuantizedMatrix q = tape.take(scaling, x.rows(), x.cols());
      LinearProducts.quantize(tape, "it", weight, () -> tape.kernels().quantize(x, q));
      return q;
    }

    @Override
    public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
      pack(tape, Form.NT, forward);
      QuantizedMatrix q = quantized(tape, Scaling.ROW, x);
      tape.kernels().multiply(q, forward.panels(), bias, y);
      if (keep) {
        tape.keep(q);
      } else {
        tape.giveBack(q);
      }
      return keep ? q : null;
    }

    @Override
    public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
      pack(tape, Form.NN, backward);
      QuantizedMatrix q = quantized(tape, Scaling.ROW, g);
      tape.kernels().multiply(q, backward.panels(), Epilogue.STORE, gx);
      tape.giveBack(q);
    }

    @Override
    public void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw) {
      tape.kernels().multiply(ElementType.BFLOAT16, Form.TN, g, kept, Epilogue.ACCUMULATE, gw);
    }
  }

  /** Each product of floats as its formula stands there. */
  private record Plain(Parameter weight) implements LinearProducts {
    @Override
    public Matrix output(Tape tape, FloatMatrix x, Epilogue bias, boolean keep, FloatMatrix y) {
      tape.kernels().multiply(ElementType.FLOAT32, Form.NT, x, weight.value(), bias, y);
      return keep ? x : null;
    }

    @Override
    public void inputGradient(Tape tape, FloatMatrix g, FloatMatrix gx) {
      tape.kernels().multiply(ElementType.FLOAT32, Form.NN, g, weight.value(), Epilogue.STORE, gx);
    }

    @Override
    public void weightGradient(Tape tape, FloatMatrix g, Matrix kept, FloatMatrix gw) {
      tape.kernels().multiply(ElementType.FLOAT32, Form.TN, g, kept, Epilogue.ACCUMULATE, gw);
    }
  }

  private static LinearBuilder layer(String name, int out, int in, long seed) {
    return Linear.of(new Parameter(name + ".weight", gaussian(out, in, seed), true))
        .bias(Parameter.vector(name + ".bias", gaussian(1, out, seed + 1).data()));
  }

  private float[][] trained(Linear first, Linear second) {
    Sequential model = new Sequential(first, second);
    AdamW optimizer = new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT);
    Tape tape = Tape.recording(kernels);
    for (int step = 0; step < 3; step++) {
      Tensor y =
          model.forward(tape, Tensor.of(gaussian(11, first.parameters().get(0).cols(), step)));
      tape.backward(new MeanSquaredError().forward(tape, y, gaussian(y.rows(), y.cols(), 9)));
      optimizer.step(0.1f);
      optimizer.zeroGrad();
      tape.reset();
    }
    return model.parameters().stream().map(p -> p.value().toArray()).toArray(float[][]::new);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "5, 17, 3", "33, 8, 65"})
  void areAsGoodAsTheLibrarys(int in, int hidden, int out) {
    float[][] expected =
        trained(
            layer("a", hidden, in, 1).precision(Precision.SWITCHBACK_M).build(),
            layer("b", out, hidden, 2).precision(Precision.SWITCHBACK_M).build());
    float[][] actual =
        trained(
            layer("a", hidden, in, 1).products(SwitchBack::new).build(),
            layer("b", out, hidden, 2).products(SwitchBack::new).build());
    assertThat(actual).isDeepEqualTo(expected);
  }

  @Test
  void gradients() {
    GradientCheck.check(
        kernels, layer("l", 3, 5, 1).products(Plain::new).build(), gaussian(7, 5, 2));
  }

  @Test
  void areLeftAsTheyAre() {
    Linear layer = layer("l", 3, 5, 1).precision(Precision.SWITCHBACK).products(Plain::new).build();
    assertThat(Precisions.convert(layer, PrecisionPolicy.to(Precision.FLOAT32).withSmallest(0)))
        .hasToString(
            "l"
                + " ".repeat(44)
                + "3x5     left in SWITCHBACK: computes its products in a way of its own\n");
    assertThat(Precisions.release(layer, kernels).kept())
        .containsExactly("l: SWITCHBACK has no smaller form");
    assertThat(layer.summary()).contains("own products");
    assertThat(layer.precision()).isEqualTo(Precision.SWITCHBACK);
  }

  /** A part of a layer computes as the whole does, whatever that is. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void arePassedOnToParts(boolean own) {
    LinearBuilder qkv = layer("a.qkv", 12, 4, 1);
    if (own) {
      qkv.products(SwitchBack::new);
    } else {
      qkv.precision(Precision.SWITCHBACK_Q).gradients(Precision.FLOAT32, Precision.BFLOAT16);
    }
    SelfAttention attention = new SelfAttention(2, qkv.build(), layer("a.out", 4, 4, 3).build());
    assertThat(attention.separateQueries().summary().lines())
        .filteredOn(line -> line.contains(own ? "own products" : "SWITCHBACK_Q"))
        .hasSize(2);
  }

  @Test
  void oneWayAtATime() {
    refuses(2, layer("l", 3, 5, 1).products(Plain::new).weightGradient(ElementType.FLOAT32));
    refuses(
        2,
        layer("l", 3, 5, 1).products(Plain::new).gradients(Precision.FLOAT32, Precision.FLOAT32));
    refuses(
        3,
        layer("l", 3, 5, 1)
            .products(Plain::new)
            .weightGradient(ElementType.FLOAT32)
            .gradients(Precision.FLOAT32, Precision.FLOAT32));
  }

  private static void refuses(int ways, LinearBuilder builder) {
    assertThatIllegalArgumentException()
        .isThrownBy(builder::build)
        .withMessage(
            "the layer with weight l.weight 3x5 was told in "
                + ways
                + " ways how to compute gradients (expected one of weightGradient, gradients and"
                + " products)");
  }

  @Test
  void buffersOfATapeAreGivenBackOnce() {
    Tape tape = Tape.recording(kernels);
    QuantizedMatrix q = tape.take(Scaling.ROW, 2, 3);
    kernels.quantize(gaussian(2, 3, 1), q);
    tape.giveBack(q);
    refusesBuffer(() -> tape.giveBack(q));
    refusesBuffer(() -> tape.keep(q));
    QuantizedMatrix kept = tape.take(Scaling.ROW, 2, 3);
    kernels.quantize(gaussian(2, 3, 1), kept);
    tape.keep(kept);
    refusesBuffer(() -> tape.giveBack(kept));
    tape.reset();
    refusesBuffer(() -> tape.giveBack(kept));
    assertThat(tape.take(Scaling.ROW, 2, 3)).isSameAs(kept);
    refusesBuffer(() -> tape.giveBack(new QuantizedMatrix(Scaling.ROW)));
  }

  private static void refusesBuffer(Runnable call) {
    assertThatIllegalArgumentException()
        .isThrownBy(call::run)
        .withMessageContaining("(expected a buffer of take, once)");
  }
}
