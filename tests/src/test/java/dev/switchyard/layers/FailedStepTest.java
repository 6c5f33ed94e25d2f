package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static dev.switchyard.layers.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** What fails in a step of a tape leaves no trace in the next, or the tape refuses to go on. */
class FailedStepTest {
  private final Tape tape = Tape.recording(Fixtures.reference());
  private final Linear below = new Linear("below", 3, 4, Precision.FLOAT32, RANDOM.split(0));
  private final Linear above = new Linear("above", 4, 2, Precision.FLOAT32, RANDOM.split(1));
  private final FloatMatrix x = gaussian(5, 3, 1);
  private final FloatMatrix g = gaussian(5, 2, 2);

  /** The stack may end in any call of a reset: no two results of a later step share an array. */
  @RepeatedTest(4) // calls get other frames as they are compiled
  void noStorageIsHandedOutTwice() throws InterruptedException {
    Tape[] tapes = new Tape[300];
    Arrays.setAll(tapes, i -> tapeThatKeeps());
    int[] counts = new int[2]; // resets, and overflows in them
    Thread thread = new Thread(null, () -> resetAtTheEnd(tapes, counts), "small stack", 256 << 10);
    thread.start();
    thread.join();
    assertThat(counts[1]).isPositive().isLessThan(tapes.length);
    for (Tape any : tapes) {
      any.reset();
      Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      for (int i = 0; i < 70; i++) {
        assertThat(seen.add(any.result(8, 8).data())).isTrue();
        assertThat(seen.add(any.indices(8))).isTrue();
        assertThat(seen.add(any.take(Scaling.ROW, 4, 4))).isTrue();
      }
    }
  }

  private static Tape tapeThatKeeps() {
    Tape tape = Tape.recording(Fixtures.reference());
    for (int many : new int[] {1, 30}) { // the second reset calls deeper when its lists grow
      tape.reset();
      for (int i = 0; i < many; i++) {
        tape.result(8, 8);
        tape.indices(8);
        tape.keep(tape.take(Scaling.ROW, 4, 4));
      }
      tape.add(Tensor.withGrad(FloatMatrix.allocate(2, 2)), Tensor.of(FloatMatrix.allocate(2, 2)));
    }
    return tape;
  }

  /** Goes down to where the stack ends, and resets a tape in each call on the way up. */
  @SuppressWarnings("InfiniteRecursion") // ends where the stack does
  private static void resetAtTheEnd(Tape[] tapes, int[] counts) {
    try {
      resetAtTheEnd(tapes, counts);
    } catch (StackOverflowError e) {
      counts[1] += counts[0] > 0 ? 1 : 0;
    }
    if (counts[0] < tapes.length) {
      tapes[counts[0]++].reset();
    }
  }

  @Test
  void theStepAfterAFailedWayBackIsAsIfThatHadNotBeen() {
    List<Parameter> parameters = Model.concat(below.parameters(), above.parameters());
    tape.backward(forward(Tensor.of(x)), g);
    List<float[]> expected = gradients(parameters);
    Tensor input = Tensor.withGrad(x);
    boolean[] fails = {true};
    tape.reset();
    tape.watch(
        (layer, in) ->
            gy -> {
              if (layer == below && fails[0]) {
                throw new ArithmeticException("no number");
              }
            });
    Tensor y = forward(input);
    assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> tape.backward(y, g));
    String failed =
        "backward has failed in step 2, and gradients may be a part of what they should be: set"
            + " those of parameters to zero and call reset() to begin the next step";
    assertThatIllegalStateException().isThrownBy(() -> tape.backward(y, g)).withMessage(failed);
    assertThatIllegalStateException().isThrownBy(input::grad).withMessage(failed);
    assertThatIllegalStateException().isThrownBy(() -> forward(Tensor.of(x))).withMessage(failed);

    parameters.forEach(Parameter::zeroGrad);
    tape.reset();
    fails[0] = false;
    tape.backward(forward(Tensor.of(x)), g);
    assertThat(gradients(parameters)).usingElementComparator(Arrays::compare).isEqualTo(expected);
  }

  private Tensor forward(Tensor input) {
    return above.forward(tape, below.forward(tape, input));
  }

  private static List<float[]> gradients(List<Parameter> parameters) {
    List<float[]> all = parameters.stream().map(p -> p.grad().data().clone()).toList();
    parameters.forEach(Parameter::zeroGrad);
    return all;
  }

  @Test
  void listenersMayNotEndTheStepOrCompute() {
    for (Runnable work :
        List.<Runnable>of(
            tape::reset,
            () -> forward(Tensor.of(x)),
            () -> tape.backward(forward(Tensor.of(x)), g))) {
      tape.whenComplete(parameter -> work.run());
      Tensor y = forward(Tensor.of(x));
      assertThatIllegalStateException()
          .isThrownBy(() -> tape.backward(y, g))
          .withMessageEndingWith(
              "while the tape goes back in step 1 (expected after backward)"
                  .replace("1", String.valueOf(tape.step())));
      tape.reset();
    }
  }

  @Test
  void refusesAParameterFrozenOrUnfrozenInBetween() {
    Parameter bias = above.parameters().get(1);
    for (boolean frozen : new boolean[] {false, true}) {
      bias.setFrozen(frozen);
      Tensor y = forward(Tensor.of(x));
      bias.setFrozen(!frozen);
      assertThatIllegalStateException()
          .isThrownBy(() -> tape.backward(y, g))
          .withMessage(
              "parameter above.bias 1x2 was "
                  + (frozen ? "unfrozen" : "frozen")
                  + " between forward and backward (expected that before forward or after"
                  + " backward)");
      bias.setFrozen(frozen);
      tape.backward(y, g); // nothing has happened yet
      tape.reset();
    }
  }

  /** Neither the caller's arrays nor a buffer twice: what is in the pool is nobody else's. */
  @Test
  void takesBackNothingButItsOwn() {
    String foreign =
        "matrix 4x2 was not taken from this tape in this step, or was given back or handed on"
            + " before (expected a buffer of take, once)";
    FloatMatrix mine = FloatMatrix.allocate(4, 2);
    Tensor wanting = Tensor.withGrad(mine);
    FloatMatrix taken = tape.take(4, 2);
    tape.giveBack(taken);
    FloatMatrix handedOn = tape.take(4, 2);
    tape.addGrad(wanting, handedOn);
    for (FloatMatrix matrix : List.of(mine, taken, handedOn, tape.result(4, 2))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> tape.giveBack(matrix))
          .withMessage(foreign);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> tape.addGrad(wanting, matrix))
          .withMessage(foreign);
    }
    for (Tape any :
        List.of(tape, Tape.inference(Fixtures.reference()), Tape.none(Fixtures.reference()))) {
      for (Tensor input : List.of(Tensor.of(mine), Tensor.withGrad(mine))) {
        any.add(input, input); // binds it
        any.release(input);
        assertThat(input.value()).isSameAs(mine);
        assertThat(any.take(4, 2).data()).isNotSameAs(mine.data());
      }
    }
  }

  private Node.Backward givingACopyTo(Tensor x) {
    return (gy, kept) -> {
      FloatMatrix gradient = tape.take(gy.rows(), gy.cols());
      gy.copyTo(gradient);
      tape.addGrad(x, gradient);
    };
  }

  @Test
  void aGradientThatIsPassedBackIsNobodysBuffer() {
    Tensor input = Tensor.withGrad(x);
    Tensor y =
        tape.node(tape.result(5, 3)).from(input).backward((gy, kept) -> tape.addGrad(input, gy));
    Tensor z = tape.node(tape.result(5, 3)).from(y).backward(givingACopyTo(y));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tape.backward(z, x))
        .withMessage(
            "matrix 5x3 is the gradient that is being passed back (expected a buffer of take, or"
                + " passOn)");
  }

  @Test
  void refusesAGradientForWhatWasNotNamed() {
    Tensor hidden = below.forward(tape, Tensor.of(x));
    Tensor input = Tensor.withGrad(x);
    Tensor y = tape.node(tape.result(5, 4)).from(input).backward(givingACopyTo(hidden));
    assertThatIllegalStateException()
        .isThrownBy(() -> tape.backward(y, gaussian(5, 4, 1)))
        .withMessage(
            "a layer gave a gradient to tensor 5x4, but its result was not recorded as computed"
                + " from it (expected it among those that from names)");
  }

  @Test
  void oneThreadAStep() throws InterruptedException {
    Tensor y = forward(Tensor.of(x));
    for (Runnable work :
        List.<Runnable>of(
            () -> tape.result(1, 1),
            () -> tape.node(x).backward((gy, kept) -> {}),
            () -> tape.backward(y, g))) {
      assertThat(elsewhere(work))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "step 1 of this tape was begun by thread "
                  + Thread.currentThread().getName()
                  + " and is used by thread elsewhere (expected one thread until reset(), and a"
                  + " tape for each)");
    }
    tape.backward(y, g);
    tape.reset();
    assertThat(elsewhere(() -> forward(Tensor.of(x)))).as("the next step is another's").isNull();
    assertThatIllegalStateException().isThrownBy(() -> forward(Tensor.of(x)));
    tape.reset();
    forward(Tensor.of(x));
  }

  private static Throwable elsewhere(Runnable work) throws InterruptedException {
    Throwable[] thrown = {null};
    Thread thread = new Thread(work, "elsewhere");
    thread.setUncaughtExceptionHandler((t, e) -> thrown[0] = e);
    thread.start();
    thread.join();
    return thrown[0];
  }
}
