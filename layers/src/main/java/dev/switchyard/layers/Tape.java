package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reverse-mode differentiation at the level of layers. Each layer computes its result with the
 * tape's {@link Kernels} and records how to go back; {@link #backward(Tensor)} runs the records in
 * reverse and adds to the gradients of parameters and inputs.
 *
 * <pre>{@code
 * Tape tape = Tape.recording(kernels);
 * for (...) {
 *   Tensor loss = crossEntropy.forward(tape, model.forward(tape, Tensor.of(batch)), labels);
 *   tape.backward(loss);
 *   optimizer.step(rate);
 *   optimizer.zeroGrad();
 *   tape.reset();
 * }
 * }</pre>
 *
 * <p>A layer of your own takes its result from {@link #result}, fills it, and {@linkplain #record
 * records} how to go back; there it computes into buffers of {@link #take(int, int)} and hands them
 * to {@link #addGrad}.
 *
 * <p>Everything computed between two calls of {@link #reset()} is one step. Its storage is used
 * again in the next. For use by one thread; the kernels may use more.
 */
public final class Tape {
  /** How to go back through one layer: adds to the gradients of its inputs and parameters. */
  public interface Backward {
    /**
     * Goes back.
     *
     * @param gy the gradient of the result; it must not be written to or kept
     */
    void run(FloatMatrix gy);
  }

  /** Is told what the linear layers compute with, see {@link #watch}. */
  public interface Watcher {
    /**
     * Is told of a forward pass, before it.
     *
     * @param layer the layer
     * @param x its input [rows, in], which must not be written to; copy it to keep it
     * @return is told the gradient of the output, [rows, out], when the tape goes back
     */
    Backward forward(Linear layer, FloatMatrix x);
  }

  private record Node(Tensor result, List<Matrix> read, Backward backward) {}

  private record Use(Parameter parameter, long version, int node) {}

  private final Kernels kernels;
  private final boolean recording;
  private final boolean keeping; // results end with their step
  private final Profile profile;
  private final Buffers buffers;
  private final List<Node> nodes = new ArrayList<>();
  private final Set<Object> readLater = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Use> uses = new ArrayList<>();
  private final List<Tensor> inputs = new ArrayList<>();
  private int step = 1;
  private int draws;
  private boolean wentBack;
  private Tensor current;
  private Watcher watcher;
  private Consumer<Parameter> whenComplete;

  private Tape(
      Kernels kernels, boolean recording, boolean keeping, Profile profile, Buffers buffers) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.recording = recording;
    this.keeping = keeping;
    this.profile = profile;
    this.buffers = buffers;
  }

  /**
   * A tape for training.
   *
   * @param kernels what computes
   * @return a tape at its first step
   */
  public static Tape recording(Kernels kernels) {
    return new Tape(kernels, true, true, null, new Buffers());
  }

  /**
   * A tape for training that measures where the time goes.
   *
   * @param kernels what computes
   * @param profile receives the times
   * @return a tape at its first step
   */
  public static Tape recording(Kernels kernels, Profile profile) {
    return new Tape(kernels, true, true, Objects.requireNonNull(profile, "profile"), new Buffers());
  }

  /**
   * For inference again and again: nothing is recorded, and results live until {@link #reset()},
   * which takes back their storage for the next.
   *
   * @param kernels what computes
   * @return a tape at its first step
   */
  public static Tape inference(Kernels kernels) {
    return new Tape(kernels, false, true, null, new Buffers());
  }

  /**
   * For inference that measures where the time goes.
   *
   * @param kernels what computes
   * @param profile receives the times
   * @return a tape at its first step
   */
  public static Tape inference(Kernels kernels, Profile profile) {
    return new Tape(
        kernels, false, true, Objects.requireNonNull(profile, "profile"), new Buffers());
  }

  /**
   * For inference: nothing is recorded or kept, results are ordinary objects that live as long as
   * they are used, and there are no steps.
   *
   * @param kernels what computes
   * @return the tape
   */
  public static Tape none(Kernels kernels) {
    return new Tape(kernels, false, false, null, new Buffers());
  }

  /**
   * What computes.
   *
   * @return the kernels
   */
  public Kernels kernels() {
    return kernels;
  }

  /**
   * Whether layers record how to go back.
   *
   * @return false for inference
   */
  public boolean isRecording() {
    return recording;
  }

  /**
   * Has someone told of what each linear layer computes with, as reports on accuracy need it.
   *
   * @param newWatcher is told from the next layer on
   */
  public void watch(Watcher newWatcher) {
    watcher = Objects.requireNonNull(newWatcher, "newWatcher");
  }

  /** Tells whoever watches; what is told the gradient in turn, or null. */
  Backward watched(Linear layer, FloatMatrix x) {
    return watcher == null ? null : watcher.forward(layer, x);
  }

  /**
   * Has someone told, on the way back, of each parameter whose gradient is complete for this step,
   * as soon as it is; so that gradients can travel to other processes while those of earlier layers
   * are computed.
   *
   * @param listener is told of each parameter that the step used and that learns, once; from the
   *     last layer to the first, in an order that depends on the layers alone
   */
  public void whenComplete(Consumer<Parameter> listener) {
    whenComplete = Objects.requireNonNull(listener, "listener");
  }

  int step() {
    return step;
  }

  /**
   * {@code y = a + b}, a residual connection. The gradient of y is that of a and of b.
   *
   * @param a [rows, cols]
   * @param b [rows, cols]
   * @return [rows, cols]
   */
  public Tensor add(Tensor a, Tensor b) {
    if (a.rows() != b.rows() || a.cols() != b.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "cannot add %s and %s (expected equal shapes)",
              a.value().shape(),
              b.value().shape()));
    }
    FloatMatrix y = result(a.rows(), a.cols());
    kernels.elementwise().add(a.value(), b.value(), y);
    return record(
        y,
        List.of(a, b),
        List.of(),
        List.of(),
        gy -> {
          passOn(a);
          passOn(b);
        });
  }

  /**
   * Computes the gradients of a loss.
   *
   * @param loss a 1x1 tensor of this step
   * @throws IllegalArgumentException if the loss is not 1x1
   * @throws IllegalStateException if the tape does not record, the loss is not of this step,
   *     backward was already called in this step, or a parameter was changed since it was used
   */
  public void backward(Tensor loss) {
    if (loss.rows() != 1 || loss.cols() != 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "loss is %dx%d (expected 1x1; for a gradient of your own call backward(y, gradY))",
              loss.rows(),
              loss.cols()));
    }
    backward(loss, FloatMatrix.of(new float[] {1}, 1, 1));
  }

  /**
   * Goes back from a result whose gradient the caller knows, as in a training loop of the caller's
   * own.
   *
   * @param y a tensor of this step
   * @param gradY the gradient of the loss with respect to y; only read
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException as for {@link #backward(Tensor)}
   */
  public void backward(Tensor y, FloatMatrix gradY) {
    checkBackward(y, gradY);
    wentBack = true;
    y.grad = gradY;
    y.ownsGrad = false;
    Map<Parameter, Integer> firstUses = whenComplete == null ? Map.of() : firstUses();
    int use = uses.size() - 1;
    for (int i = nodes.size() - 1; i >= 0; i--) {
      current = nodes.get(i).result();
      FloatMatrix gy = current.grad;
      if (gy != null) {
        nodes.get(i).backward().run(gy);
        dropGrad(current);
      }
      for (; whenComplete != null && use >= 0 && uses.get(use).node() == i; use--) {
        Parameter parameter = uses.get(use).parameter();
        if (!parameter.frozen() && firstUses.getOrDefault(parameter, -1) == i) {
          firstUses.remove(parameter); // a layer may name it twice
          whenComplete.accept(parameter);
        }
      }
    }
    current = null;
  }

  /** The node at which a parameter is used first, and so comes last on the way back. */
  private Map<Parameter, Integer> firstUses() {
    Map<Parameter, Integer> first = new HashMap<>();
    for (Use use : uses) {
      first.putIfAbsent(use.parameter(), use.node());
    }
    return first;
  }

  private void checkBackward(Tensor y, FloatMatrix gradY) {
    if (!recording) {
      throw new IllegalStateException(
          "this tape records nothing, so there is no way back (expected Tape.recording)");
    }
    FloatMatrix value = y.value();
    if (y.tape() != this) {
      throw new IllegalStateException(
          "tensor " + value.shape() + " was not computed on this tape: no layer led to it");
    }
    if (wentBack) {
      throw new IllegalStateException(
          "backward was already called in step " + step + ": call reset() to begin the next");
    }
    if (!y.wantsGrad()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "tensor %s depends on no parameter that learns and on no input that wants a gradient",
              value.shape()));
    }
    if (gradY.rows() != value.rows() || gradY.cols() != value.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "gradient is %s but y is %s (expected equal)",
              gradY.shape(),
              value.shape()));
    }
    for (Use use : uses) {
      if (use.parameter().version() != use.version()) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "parameter %s was changed between forward and backward: version %d then, %d now",
                use.parameter(),
                use.version(),
                use.parameter().version()));
      }
    }
  }

  /**
   * How much the backward pass of this step needs: the bytes of the activations that layers have
   * said they will read on the way back, values and scales, each matrix counted once however many
   * layers read it. Weights and gradients are not among them. Inputs are, even where they are the
   * caller's own; so this is what an int8 copy of the input makes smaller ({@link
   * Precision#SWITCHBACK_M}).
   *
   * <p>Not all that the tape holds, see {@link #bytesHeld()}: results that the caller has may be
   * asked for until the {@link #reset()}, whether a layer reads them again or not.
   *
   * @return the bytes; 0 after a reset, and for a tape that records nothing
   */
  public long bytesForBackward() {
    Set<Matrix> read = new HashSet<>(); // equal: the same part of the same array
    for (Node node : nodes) {
      read.addAll(node.read());
    }
    return read.stream().mapToLong(Tape::bytes).sum();
  }

  private static long bytes(Matrix matrix) {
    long elements = (long) matrix.rows() * matrix.cols();
    return switch (matrix) {
      case FloatMatrix _ -> Float.BYTES * elements;
      case Bfloat16Matrix _ -> Short.BYTES * elements;
      case QuantizedMatrix q ->
          (long) q.rows() * q.rowStride()
              + (long) Float.BYTES * q.scaling().scales(q.rows(), q.cols())
              + (long) Integer.BYTES * q.rows(); // the sums of rows
    };
  }

  /**
   * How much the tape holds for this step: the storage of all results and of what layers keep for
   * the way back, with what is reserved beyond them. After a forward pass, that is the activation
   * memory of a training step.
   *
   * @return the bytes; 0 after a reset, and for a tape that records nothing
   */
  public long bytesHeld() {
    return buffers.bytesKept();
  }

  /** Begins the next step: ends all tensors of this one and takes back their storage. */
  public void reset() {
    nodes.clear();
    readLater.clear();
    uses.clear();
    inputs.forEach(this::dropGrad);
    inputs.clear();
    buffers.recycleKept();
    wentBack = false;
    draws = 0;
    step += keeping ? 1 : 0;
  }

  /**
   * Numbers the steps from here on as those of a run that goes on from a checkpoint. Random masks
   * (see {@link Dropout}) depend on the number of the step.
   *
   * @param firstStep the number of the step that begins, from 1; a fresh tape is at step 1
   * @throws IllegalArgumentException if the tape is past that step
   * @throws IllegalStateException if the step has already begun
   */
  public void startAt(int firstStep) {
    if (firstStep < step) {
      throw new IllegalArgumentException(
          "first step is " + firstStep + " (expected " + step + " or more)");
    }
    if (!nodes.isEmpty() || !inputs.isEmpty()) {
      throw new IllegalStateException(
          "step " + step + " has begun (expected a new tape, or one after reset())");
    }
    step = firstStep;
  }

  // For whoever writes a layer: results and records.

  /**
   * A buffer for a result, which lives until the next reset.
   *
   * @param rows its rows
   * @param cols its columns
   * @return the buffer; its content is arbitrary
   */
  public FloatMatrix result(int rows, int cols) {
    FloatMatrix matrix = take(rows, cols);
    keep(matrix);
    return matrix;
  }

  /**
   * A buffer of indices, which lives until the next reset.
   *
   * @param length how many at least
   * @return the buffer; its content is arbitrary
   */
  public int[] indices(int length) {
    int[] indices = buffers.takeIndices(length);
    if (keeping) {
      buffers.keep(indices);
    }
    return indices;
  }

  /**
   * Makes a tensor of what a layer has computed.
   *
   * @param value a buffer of {@link #result}
   * @param from what it was computed from
   * @param parameters what else it was computed from
   * @param read the activations that backward reads, which nobody recycles before it has
   * @param backward how to go back; called only if something above wants a gradient
   * @return the tensor
   * @throws IllegalStateException if the step has gone back already, or a tensor belongs to another
   *     tape or to an earlier step
   */
  public Tensor record(
      FloatMatrix value,
      List<Tensor> from,
      List<Parameter> parameters,
      List<Matrix> read,
      Backward backward) {
    if (!keeping) {
      return Tensor.of(value);
    }
    if (!recording) {
      return Tensor.result(value, false, this, step);
    }
    if (wentBack) {
      throw new IllegalStateException(
          "backward was already called in step " + step + ": call reset() to begin the next");
    }
    boolean wantsGrad = false;
    for (Tensor x : from) {
      bind(x);
      wantsGrad |= x.wantsGrad();
    }
    for (Parameter parameter : parameters) {
      wantsGrad |= !parameter.frozen();
    }
    Tensor y = Tensor.result(value, wantsGrad, this, step);
    if (wantsGrad) {
      nodes.add(new Node(y, read, backward));
      read.forEach(matrix -> readLater.add(storage(matrix)));
      for (Parameter parameter : parameters) {
        uses.add(new Use(parameter, parameter.version(), nodes.size() - 1));
      }
    }
    return y;
  }

  /**
   * Takes back the storage of a result that its layer hands to nobody, once the last layer has
   * computed with it, unless one has said that it reads it on the way back.
   *
   * @param x what was computed; its value is not to be asked for again
   */
  public void release(Tensor x) {
    FloatMatrix value = x.value();
    if (!readLater.contains(storage(value))) {
      x.release();
      if (keeping) {
        buffers.giveBackKept(value);
      } else {
        buffers.giveBack(value);
      }
    }
  }

  private static Object storage(Matrix matrix) {
    return switch (matrix) {
      case FloatMatrix m -> m.data();
      case Bfloat16Matrix m -> m.data();
      case QuantizedMatrix m -> m;
    };
  }

  private void bind(Tensor x) {
    String shape = x.value().shape(); // refuses a tensor of an earlier step
    if (x.tape() == null && x.wantsGrad()) {
      x.bind(this, step);
      inputs.add(x);
    } else if (x.tape() != null && x.tape() != this) {
      throw new IllegalStateException(
          "tensor " + shape + " belongs to another tape (expected one tape in a computation)");
    }
  }

  // For layers: random masks, and parts of a step that are computed twice.

  /**
   * The key of this step's next random draws, see {@link CounterRandom#uniform}: the same in each
   * run.
   *
   * @param random a generator
   * @return the key
   */
  public long draw(CounterRandom random) {
    return random.split(step).key(draws++);
  }

  /** How many keys were drawn in this step. */
  int draws() {
    return draws;
  }

  /** Goes on as if that many keys had been drawn. */
  void skipDraws(int newDraws) {
    draws = newDraws;
  }

  /** A tape for part of this step, with this one's storage, that draws from the given key on. */
  Tape part(int firstDraw) {
    Tape part = new Tape(kernels, recording, keeping, profile, buffers.sharing());
    part.step = step;
    part.draws = firstDraw;
    part.watcher = watcher;
    return part;
  }

  // For whoever writes a layer: gradients.

  /**
   * Adds to a gradient, on the way back, unless nobody wants it.
   *
   * @param x what the gradient is of
   * @param gx a buffer of {@link #take(int, int)}, which is the tape's from now on
   */
  public void addGrad(Tensor x, FloatMatrix gx) {
    if (!x.wantsGrad()) {
      giveBack(gx);
      return;
    }
    if (x.grad != null) {
      kernels.elementwise().add(x.grad, gx, gx);
      dropGrad(x);
    }
    x.grad = gx;
    x.ownsGrad = true;
  }

  /**
   * Adds to some rows of a gradient, on the way back.
   *
   * @param x what the gradient is of
   * @param index which of its rows, ascending; at least as many as gx has
   * @param gx the rows of the gradient, only read
   */
  public void addGradRows(Tensor x, int[] index, FloatMatrix gx) {
    FloatMatrix sum = x.grad;
    if (sum == null || !x.ownsGrad) {
      sum = take(x.rows(), x.cols());
      if (x.grad == null) {
        Arrays.fill(sum.data(), 0, x.rows() * x.cols(), 0);
      } else {
        x.grad.copyTo(sum);
      }
      x.grad = sum;
      x.ownsGrad = true;
    }
    kernels.indexedRows().scatterAdd(gx, index, sum);
  }

  /**
   * Adds to the gradient of x the one that is being passed back, as it is and without a copy.
   *
   * @param x of the shape of the result that the gradient is of
   */
  public void passOn(Tensor x) {
    FloatMatrix gy = current.grad;
    if (!x.wantsGrad()) {
      return;
    }
    if (x.grad != null) {
      FloatMatrix sum = take(gy.rows(), gy.cols());
      kernels.elementwise().add(x.grad, gy, sum);
      dropGrad(x);
      x.grad = sum;
      x.ownsGrad = true;
      return;
    }
    if (current.ownsGrad) { // two tensors hold it from here on: neither may recycle it
      keep(gy);
      current.ownsGrad = false;
    }
    x.grad = gy;
    x.ownsGrad = false;
  }

  private void dropGrad(Tensor x) {
    if (x.ownsGrad) {
      giveBack(x.grad);
    }
    x.grad = null;
    x.ownsGrad = false;
  }

  // For whoever writes a layer: storage and time.

  /**
   * A buffer to {@linkplain #giveBack give back}, or to hand to {@link #addGrad}.
   *
   * @param rows its rows
   * @param cols its columns
   * @return the buffer; its content is arbitrary
   */
  public FloatMatrix take(int rows, int cols) {
    return buffers.take(rows, cols);
  }

  /**
   * A buffer to fill with a matrix of that shape, then to give back, or to keep until the reset.
   */
  QuantizedMatrix take(Scaling scaling, int rows, int cols) {
    return buffers.take(scaling, rows, cols);
  }

  /**
   * Gives back a buffer of {@link #take(int, int)}.
   *
   * @param matrix the buffer
   */
  public void giveBack(FloatMatrix matrix) {
    buffers.giveBack(matrix);
  }

  void giveBack(QuantizedMatrix matrix) {
    buffers.giveBack(matrix);
  }

  void keep(FloatMatrix matrix) {
    if (keeping) {
      buffers.keep(matrix);
    }
  }

  void keep(QuantizedMatrix matrix) {
    if (keeping) {
      buffers.keep(matrix);
    }
  }

  /**
   * Runs work, and measures it if anyone wants to know.
   *
   * @param part what the work is
   * @param work what to do
   */
  public void timed(Profile.Part part, Runnable work) {
    if (profile == null) {
      work.run();
    } else {
      profile.measure(part, work);
    }
  }
}
