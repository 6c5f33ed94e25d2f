package dev.switchyard.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.switchyard.kernels.BackendChoice;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever peers this machine has compute what the reference backend computes. */
class PeersTest {
  private static final Kernels REFERENCE =
      Kernels.create(BackendChoice.named("reference"), Parallel.serial());

  private static final int[][] SHAPES = {
    {1, 1, 1}, {1, 17, 64}, {3, 1, 5}, {31, 33, 1}, {33, 65, 17}, {64, 48, 127}, {2, 129, 255}
  };

  static Stream<Arguments> products() {
    List<Arguments> cases = new ArrayList<>();
    for (int threads : new int[] {1, 2}) {
      for (Peer peer : found(threads)) {
        for (ElementType type : peer.types()) {
          for (int[] shape : SHAPES) {
            cases.add(Arguments.of(peer.name(), threads, type, shape));
          }
        }
      }
    }
    return cases.stream();
  }

  private static List<Peer> found(int threads) {
    return Peers.find(Peers.names(), threads, (name, reason) -> {});
  }

  @ParameterizedTest
  @MethodSource("products")
  void product(String name, int threads, ElementType type, int[] shape) {
    int m = shape[0];
    int n = shape[1];
    int k = shape[2];
    Matrix x = operand(type, m, k, 1);
    Matrix w = operand(type, n, k, 2);
    float[] bias = random(1, n, 3).data();
    FloatMatrix expected = FloatMatrix.allocate(m, n);
    REFERENCE.multiply(type, Form.NT, x, w, Epilogue.bias(bias), expected);

    PeerProduct product = Peers.load(name, threads).product(type, x, w, bias);
    product.run();
    product.run(); // the second must not add to the first

    assertClose(product.result(), expected.data(), 1e-4f);
  }

  static Stream<Arguments> steps() {
    List<Arguments> cases = new ArrayList<>();
    for (Peer peer : found(1)) {
      for (ElementType type : peer.types()) {
        if (type != ElementType.INT8) {
          for (int[] shape : SHAPES) {
            cases.add(Arguments.of(peer, type, shape));
          }
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("steps")
  void step(Peer peer, ElementType type, int[] shape) {
    int rows = shape[0];
    int in = shape[1];
    int out = shape[2];
    FloatMatrix x = random(rows, in, 1);
    FloatMatrix w = random(out, in, 2);
    FloatMatrix g = random(rows, out, 4);
    float[] bias = random(1, out, 3).data();
    FloatMatrix y = FloatMatrix.allocate(rows, out);
    FloatMatrix gx = FloatMatrix.allocate(rows, in);
    FloatMatrix gw = FloatMatrix.allocate(out, in);
    float[] gb = new float[out];
    REFERENCE.multiply(type, Form.NT, x, w, Epilogue.bias(bias), y);
    REFERENCE.multiply(type, Form.NN, g, w, Epilogue.STORE, gx);
    REFERENCE.multiply(type, Form.TN, g, x, Epilogue.STORE, gw);
    REFERENCE.elementwise().addColumnSums(g, gb);
    Profile profile = new Profile();

    LinearStep step = peer.step(type, new LinearOperands(x, w, bias, g), profile);
    step.run();
    step.run();

    assertClose(step.result().output(), y.data(), 1e-4f);
    assertClose(step.result().inputGradient(), gx.data(), 1e-4f);
    assertClose(step.result().weightGradient(), gw.data(), 1e-4f);
    assertClose(step.result().biasGradient(), gb, 1e-4f);
    assertThat(profile.nanos(Part.MULTIPLY)).isPositive();
    assertThat(profile.nanos(Part.WEIGHT_GRADIENT)).isPositive();
  }

  /** Views whose rows lie apart are copied without the gaps. */
  @Test
  void operandsMayBeViews() {
    for (Peer peer : found(1)) {
      FloatMatrix x = random(9, 20, 1).columnRange(3, 14);
      FloatMatrix w = random(7, 12, 2).columnRange(1, 12);
      float[] bias = new float[7];
      FloatMatrix expected = FloatMatrix.allocate(9, 7);
      REFERENCE.multiply(ElementType.FLOAT32, Form.NT, x, w, Epilogue.STORE, expected);

      PeerProduct product = peer.product(ElementType.FLOAT32, x, w, bias);
      product.run();

      assertClose(product.result(), expected.data(), 1e-5f);
    }
  }

  /** The build has them as dependencies, with native code for this system. */
  @Test
  void allAreThereOnLinux() {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    assumeTrue(System.getProperty("os.arch").equals("amd64"));
    List<String> leftOut = new ArrayList<>();

    List<Peer> peers =
        Peers.find(Peers.names(), 1, (name, reason) -> leftOut.add(name + ": " + reason));

    assertThat(leftOut).isEmpty();
    assertThat(peers).extracting(Peer::name).containsExactlyElementsOf(Peers.names());
    assertThat(peers)
        .extracting(Peer::description)
        .containsExactly(
            "oneDNN 3.11.0", "OpenBLAS 0.3.31", "PyTorch 2.10.0", "EJML 0.46.1", "ojAlgo 57.1.0");
  }

  private static void assertClose(float[] actual, float[] expected, float tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  private static Matrix operand(ElementType type, int rows, int cols, int seed) {
    FloatMatrix matrix = random(rows, cols, seed);
    return switch (type) {
      case FLOAT32 -> matrix;
      case BFLOAT16 -> {
        Bfloat16Matrix rounded = Bfloat16Matrix.allocate(rows, cols);
        for (int i = 0; i < rounded.data().length; i++) {
          rounded.data()[i] = Bfloat16.fromFloat(matrix.data()[i]);
        }
        yield rounded;
      }
      case INT8 -> {
        QuantizedMatrix quantized = new QuantizedMatrix(Scaling.TENSOR);
        REFERENCE.quantize(matrix, quantized);
        yield quantized;
      }
    };
  }

  private static FloatMatrix random(int rows, int cols, int seed) {
    FloatMatrix matrix = FloatMatrix.allocate(rows, cols);
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < matrix.data().length; i++) {
      matrix.data()[i] = CounterRandom.uniform(key, i) - 0.5f;
    }
    return matrix;
  }
}
