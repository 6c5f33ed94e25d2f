package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The stack itself comes to an end in a product, not an injected error: a recursion catches that
 * and tries again in each call on the way up, as a program with a fallback would. Later products of
 * the thread write their result alone.
 */
class StackEndTest {
  private static final int DESCENTS = Integer.getInteger("switchyard.fuzz.descents", 6);
  private static final int STACK_BYTES = 256 << 10;

  /** More than the stack has room for. */
  private static final int MOST_FRAMES = 1_000_000;

  private static final float CANARY = 777;

  private final FloatMatrix a = Matrices.gaussian(1, 8, 1);
  private final FloatMatrix wide = Matrices.gaussian(8, 32, 2);
  private final FloatMatrix narrow = Matrices.gaussian(8, 1, 3);
  private final float[] result = new float[128];
  private final FloatMatrix c = new FloatMatrix(result, 0, 1, 1, 1);
  private int ends;

  static Stream<String> backends() {
    return Stream.concat(Setup.BACKENDS.stream(), EmittedPathsTest.paths().stream());
  }

  @ParameterizedTest
  @MethodSource("backends")
  void laterProductsAreRight(String backend) throws InterruptedException {
    Kernels kernels = Setup.on(backend, Parallel.serial());
    FloatMatrix cWide = FloatMatrix.allocate(1, 32);
    multiply(kernels, narrow, c);
    float expected = c.get(0, 0);
    boolean[] right = new boolean[DESCENTS];
    Thread thread =
        new Thread(
            null,
            () -> {
              for (int i = 0; i < DESCENTS; i++) {
                multiply(kernels, wide, cWide); // whose columns are more
                shift(kernels, i);
                Arrays.fill(result, CANARY);
                multiply(kernels, narrow, c);
                right[i] = result[0] == expected;
                for (int j = 1; j < result.length; j++) {
                  right[i] &= result[j] == CANARY;
                }
              }
            },
            "small stack",
            STACK_BYTES);
    thread.start();
    thread.join();

    assertThat(right).containsOnly(true);
    assertThat(ends).isGreaterThan(DESCENTS);
  }

  private void multiply(Kernels kernels, FloatMatrix b, FloatMatrix out) {
    kernels.multiply(ElementType.FLOAT32, Form.NN, a, b, Epilogue.STORE, out);
  }

  /** Has the stack end elsewhere. */
  private boolean shift(Kernels kernels, int frames) {
    return frames == 0 ? descend(kernels, 0) : shift(kernels, frames - 1);
  }

  private boolean descend(Kernels kernels, int depth) {
    boolean done = false;
    try {
      done = depth < MOST_FRAMES && descend(kernels, depth + 1);
    } catch (StackOverflowError e) {
      ends++;
    }
    if (!done) {
      try {
        multiply(kernels, narrow, c);
        done = true;
      } catch (StackOverflowError e) {
        ends++;
      }
    }
    return done;
  }
}
