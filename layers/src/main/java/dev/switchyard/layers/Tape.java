package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
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
 * <p>A layer of your own takes its result from {@link #result}, fills it, and says in a {@link
 * #node} how to go back; there it computes into buffers of {@link #take(int, int)} and hands them
 * to {@link #addGrad}.
 *
 * <p>Everything computed between two calls of {@link #reset()} is one step: first all forward
 * passes, then one or more ways back. Its storage is used again in the next. After an exception or
 * error, set the gradients of parameters to zero, since a part of them may have been added, and
 * call {@code reset()}: the next step is as if the one that failed had not been.
 *
 * <p>For use by one thread; the kernels may use more. Another thread may take over between two
 * steps. Within one, a second thread is refused where it takes a result or records, if it is seen.
 */
public final class Tape {
  /** Is told what the linear layers compute with, see {@link #watch}. */
  public interface Watcher {
    /**
     * Is told of a forward pass, before it.
     *
     * @param layer the layer
     * @param x its input [rows, in], which must not be written to; copy it to keep it
     * @return is told the gradient of the output, [rows, out], when the tape goes back
     */
    Consumer<FloatMatrix> forward(Linear layer, FloatMatrix x);
  }

  private final Kernels kernels;
  private final boolean recording;
  private final boolean keeping; // results end with their step
  private final Profile profile;
  private final Buffers buffers;
  private final Step step;
  private final Watching watching;
  private final Gradients gradients;
  private final Recording recorded = new Recording();
  private final List<Tensor> inputs = new ArrayList<>();
  private Consumer<Parameter> whenComplete;

  private Tape(
      Kernels kernels,
      boolean recording,
      boolean keeping,
      Profile profile,
      Buffers buffers,
      Step step,
      Watching watching) {
    this.kernels = Objects.requireNonNull(kernels, "kernels");
    this.recording = recording;
    this.keeping = keeping;
    this.profile = profile;
    this.buffers = buffers;
    this.step = step;
    this.watching = watching;
    this.gradients = new Gradients(kernels, buffers);
  }

  private Tape(
      Kernels kernels, boolean recording, boolean keeping, Profile profile, Buffers buffers) {
    this(kernels, recording, keeping, profile, buffers, new Step(keeping, 1, 0), new Watching());
  }

  /**
   * A tape for training.
   *
   * @param kernels what computes
   * @return a tape at its first step
   */
  public static Tape recording(Kernels kernels) {
    return new Tape(kernels, true, true, null, Buffers.pooled());
  }

  /**
   * A tape for training that measures where the time goes.
   *
   * @param kernels what computes
   * @param profile receives the times
   * @return a tape at its first step
   */
  public static Tape recording(Kernels kernels, Profile profile) {
    return new Tape(
        kernels, true, true, Objects.requireNonNull(profile, "profile"), Buffers.pooled());
  }

  /**
   * A tape for training with the kernels and the storage of another, for trainings that make their
   * steps in turns: they need no more memory than one. A step of either may begin only when the
   * other's has ended with its {@link #reset()}.
   *
   * @param other whose storage is used
   * @param profile receives the times
   * @return a tape at its first step
   */
  public static Tape sharing(Tape other, Profile profile) {
    return new Tape(
        other.kernels,
        true,
        true,
        Objects.requireNonNull(profile, "profile"),
        other.buffers.sharing());
  }

  /**
   * For inference again and again: nothing is recorded, and results live until {@link #reset()},
   * which takes back their storage for the next.
   *
   * @param kernels what computes
   * @return a tape at its first step
   */
  public static Tape inference(Kernels kernels) {
    return new Tape(kernels, false, true, null, Buffers.pooled());
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
        kernels, false, true, Objects.requireNonNull(profile, "profile"), Buffers.pooled());
  }

  /**
   * For inference now and then: nothing is recorded or kept, results are ordinary objects that live
   * as long as they are used, and there are no steps. All storage is new each time, so {@link
   * #inference} is quicker for what is done again and again.
   *
   * @param kernels what computes
   * @return the tape
   */
  public static Tape none(Kernels kernels) {
    return new Tape(kernels, false, false, null, Buffers.unpooled());
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
    watching.set(Objects.requireNonNull(newWatcher, "newWatcher"));
  }

  /** Tells whoever watches; what is told the gradient in turn, or null. */
  Consumer<FloatMatrix> watched(Linear layer, FloatMatrix x) {
    return watching.forward(layer, x);
  }

  /**
   * Whether what is computed was computed in this step before, see {@link Recomputed}: a layer that
   * counts what it does counts the first time alone.
   *
   * @return true the second time
   */
  public boolean isRepeating() {
    return watching.isRepeating();
  }

  /**
   * Has someone told, on the way back, of each parameter whose gradient is complete for this step,
   * as soon as it is; so that gradients can travel to other processes while those of earlier layers
   * are computed. It is complete once every layer of the step that uses the parameter was gone back
   * through: a layer is at most once, and none is recorded after the first way back, so nothing can
   * be added to it any more. A parameter of a layer that no way back leads to is not told of; its
   * gradient is complete when the last way back has ended, which only the caller knows.
   *
   * @param listener is told of each such parameter that learns, once a step; from the last layer to
   *     the first, in an order that depends on the layers and ways back alone. It must not compute
   *     on this tape or call {@link #reset()}
   */
  public void whenComplete(Consumer<Parameter> listener) {
    whenComplete = Objects.requireNonNull(listener, "listener");
  }

  long step() {
    return step.number();
  }

  /** Whether tensors of a step are alive. */
  boolean isAt(long ofTensor) {
    return step.isAt(ofTensor);
  }

  void requireWholeGradients() {
    step.requireWholeGradients();
  }

  /** Refuses the value of a tensor to a layer that goes back without having kept it. */
  void requireKept(FloatMatrix value) {
    gradients.requireKept(value);
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
    return node(y)
        .from(a, b)
        .backward(
            (gy, kept) -> {
              passOn(a);
              passOn(b);
            });
  }

  /**
   * Computes the gradients of a loss.
   *
   * @param loss a 1x1 tensor of this step
   * @throws IllegalArgumentException if the loss is not 1x1
   * @throws IllegalStateException as for {@link #backward(List, List)}
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
   * own: through all layers that led to it. May be called several times in a step, for results that
   * no layer both leads to; between two calls the gradients of inputs can be read ({@link
   * Tensor#withGrad}) and handed on by code of the caller's own.
   *
   * @param y a tensor of this step
   * @param gradY the gradient of the loss with respect to y; only read
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException as for {@link #backward(List, List)}
   */
  public void backward(Tensor y, FloatMatrix gradY) {
    backward(List.of(y), List.of(gradY));
  }

  /**
   * Goes back from several results at once, as those need that come from one layer: through each
   * layer that led to any of them, once.
   *
   * <p>As often in a step as there are results that no way back has led through yet. If this fails
   * half-way, the gradients of parameters may be a part of what they should be, and the tape
   * refuses everything until {@link #reset()}.
   *
   * @param ys tensors of this step, each once
   * @param gradYs the gradients of the loss with respect to each; only read
   * @throws IllegalArgumentException if the shapes differ, or there are more of one than of the
   *     other
   * @throws IllegalStateException if the tape does not record, a tensor is not of this step, a
   *     layer that led to it was gone back through in this step already, or a parameter was
   *     changed, frozen or unfrozen since it was used; nothing is changed then
   * @throws dev.switchyard.kernels.data.NonFiniteException if a layer cannot round a gradient that
   *     is not finite, and the policy of the kernels is to reject it
   */
  public void backward(List<Tensor> ys, List<FloatMatrix> gradYs) {
    if (!recording) {
      throw new IllegalStateException(
          "this tape records nothing, so there is no way back (expected Tape.recording)");
    }
    if (ys.size() != gradYs.size()) {
      throw new IllegalArgumentException(
          ys.size() + " tensors and " + gradYs.size() + " gradients (expected one for each)");
    }
    step.useBack();
    for (int i = 0; i < ys.size(); i++) {
      checkBackward(ys.get(i), gradYs.get(i));
      if (ys.indexOf(ys.get(i)) < i) {
        throw new IllegalArgumentException(
            "tensor " + ys.get(i).shape() + " is listed twice (expected the sum of its gradients)");
      }
    }
    BitSet ways = recorded.waysBack(ys);
    step.goBack(
        () -> {
          for (int i = 0; i < ys.size(); i++) {
            gradients.set(ys.get(i), gradYs.get(i));
          }
          recorded.goBack(ways, gradients::goBack, whenComplete);
        });
  }

  private void checkBackward(Tensor y, FloatMatrix gradY) {
    FloatMatrix value = y.value();
    if (y.tape() != this) {
      throw new IllegalStateException(
          "tensor " + value.shape() + " was not computed on this tape: no layer led to it");
    }
    if (!y.wantsGrad()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "tensor %s depends on no parameter that learns and on no input that wants a gradient",
              value.shape()));
    }
    if (y.node() < 0) {
      throw new IllegalStateException(
          "tensor " + value.shape() + " is an input: no layer led to it");
    }
    if (gradY.rows() != value.rows() || gradY.cols() != value.cols()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "gradient is %s but y is %s (expected equal)",
              gradY.shape(),
              value.shape()));
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
    return recorded.bytesRead();
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

  /**
   * Begins the next step: ends all tensors of this one and takes back their storage, whether it was
   * completed or abandoned after an exception; with the gradients of parameters set to zero, the
   * next step is as if nothing had been computed in this one, whose number is used up. If it fails,
   * the tape refuses everything until it is called again.
   *
   * @throws IllegalStateException if it is called while the tape goes back, by a listener say
   */
  public void reset() {
    step.end();
    recorded.clear();
    while (!inputs.isEmpty()) {
      gradients.drop(inputs.removeLast());
    }
    buffers.recycleKept();
    if (!watching.isPart()) {
      buffers.forgetLent();
    }
    step.begin();
  }

  /**
   * Goes on as a tape that has made so many steps, in a run that is resumed: {@code
   * tape.resumeAfter(checkpoint.progress().step())} where a step of the tape is an update. Random
   * masks (see {@link dev.switchyard.layers.block.Dropout}) depend on the number of the step.
   *
   * @param stepsDone how many steps the run has made, from 0; after none a tape is new
   * @throws IllegalArgumentException if this tape has made more, or there is no next step
   * @throws IllegalStateException if the next step has already begun
   */
  public void resumeAfter(long stepsDone) {
    requireResumable(stepsDone);
    step.resumeAfter(stepsDone);
  }

  /**
   * Refuses what {@link #resumeAfter} does, and changes nothing.
   *
   * @param stepsDone how many steps the run has made
   * @throws IllegalArgumentException if this tape has made more, or there is no next step
   * @throws IllegalStateException if the next step has already begun
   */
  public void requireResumable(long stepsDone) {
    if (stepsDone == Long.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a run of " + stepsDone + " steps has no next step (expected fewer)");
    }
    if (stepsDone < step.number() - 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a run of %d steps cannot go on with a tape that has made %d (expected a new tape)",
              stepsDone,
              step.number() - 1));
    }
    if (!step.isNew() || !recorded.isEmpty() || !inputs.isEmpty()) {
      throw new IllegalStateException(
          "step " + step.number() + " has begun (expected a new tape, or one after reset())");
    }
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
    step.use();
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
   * Begins to say how a result came about; {@link Node#backward} ends it.
   *
   * @param value a buffer of {@link #result}
   * @return what is to be told of it
   */
  public Node node(FloatMatrix value) {
    return new Node(this, value);
  }

  /** Makes a tensor of a result, and keeps the way back if something learns by it. */
  Tensor record(Node node) {
    if (!keeping) {
      return Tensor.of(node.value());
    }
    if (!recording) {
      step.use();
      return Tensor.result(node.value(), false, this, step.number(), -1);
    }
    step.useForward();
    for (Tensor x : node.from()) {
      bind(x);
    }
    boolean learns = node.learns();
    int place = learns ? recorded.next() : -1;
    Tensor y = Tensor.result(node.value(), learns, this, step.number(), place);
    if (learns) {
      node.setResult(y);
      recorded.add(node);
    }
    return y;
  }

  /**
   * Takes back the storage of a result that its layer hands to nobody, once the last layer has
   * computed with it, unless one has said that it reads it on the way back. Nothing happens to a
   * tensor whose storage is not this tape's, such as an input that a layer has passed on as it is.
   *
   * @param x what was computed; its value is not to be asked for again
   */
  public void release(Tensor x) {
    FloatMatrix value = x.value();
    if (x.tape() == this && buffers.keeps(value) && !recorded.readsLater(value)) {
      x.release();
      buffers.giveBackKept(value);
    }
  }

  private void bind(Tensor x) {
    String shape = x.value().shape(); // refuses a tensor of an earlier step
    if (x.tape() == null && x.wantsGrad()) {
      inputs.add(x);
      x.bind(this, step.number());
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
    return step.draw(random);
  }

  /** How many keys were drawn in this step. */
  int draws() {
    return step.draws();
  }

  /** Goes on as if that many keys had been drawn. */
  void skipDraws(int newDraws) {
    step.skipDraws(newDraws);
  }

  /** A tape for the part of this step that comes next, with this one's storage. */
  Tape part() {
    return part(watching.part(), draws());
  }

  /** A tape for a part of this step again, which draws the same. */
  Tape again(Tape first, int firstDraw) {
    return part(watching.again(first.watching), firstDraw);
  }

  private Tape part(Watching watchingPart, int draws) {
    return new Tape(
        kernels,
        recording,
        keeping,
        profile,
        buffers.sharing(),
        new Step(keeping, step.number(), draws),
        watchingPart);
  }

  // For whoever writes a layer: gradients.

  /**
   * Adds to a gradient, on the way back, unless nobody wants it.
   *
   * @param x what the gradient is of
   * @param gx a buffer of {@link #take(int, int)}, which is the tape's from now on
   * @throws IllegalArgumentException if it is not, or no longer, or is the gradient that is being
   *     passed back
   */
  public void addGrad(Tensor x, FloatMatrix gx) {
    if (gradients.isPassedBack(gx)) {
      throw new IllegalArgumentException(
          "matrix "
              + gx.shape()
              + " is the gradient that is being passed back (expected a buffer of take, or"
              + " passOn)");
    }
    requireTaken(gx);
    gradients.add(x, gx);
  }

  /**
   * Adds to some rows of a gradient, on the way back.
   *
   * @param x what the gradient is of
   * @param index which of its rows, ascending; at least as many as gx has
   * @param gx the rows of the gradient, only read
   */
  public void addGradRows(Tensor x, int[] index, FloatMatrix gx) {
    gradients.addRows(x, index, gx);
  }

  /**
   * Adds to the gradient of x the one that is being passed back, as it is and without a copy.
   *
   * @param x of the shape of the result that the gradient is of
   */
  public void passOn(Tensor x) {
    gradients.passOn(x);
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
   * A buffer to fill with an int8 matrix of that shape, and to {@linkplain
   * #giveBack(QuantizedMatrix) give back} or to {@linkplain #keep(QuantizedMatrix) keep}.
   *
   * @param scaling which elements have a scale in common
   * @param rows its rows
   * @param cols its columns
   * @return the buffer; its content is arbitrary
   */
  public QuantizedMatrix take(Scaling scaling, int rows, int cols) {
    return buffers.take(scaling, rows, cols);
  }

  /**
   * Gives back a buffer of {@link #take(int, int)}.
   *
   * @param matrix the buffer
   * @throws IllegalArgumentException if it is not, or was given back or handed on before
   */
  public void giveBack(FloatMatrix matrix) {
    requireTaken(matrix);
    buffers.giveBack(matrix);
  }

  private void requireTaken(Matrix matrix) {
    if (!buffers.isLent(matrix)) {
      throw new IllegalArgumentException(
          "matrix "
              + matrix.shape()
              + " was not taken from this tape in this step, or was given back or handed on before"
              + " (expected a buffer of take, once)");
    }
  }

  /**
   * Gives back a buffer of {@link #take(Scaling, int, int)}, which holds a matrix of the shape that
   * it was taken for.
   *
   * @param matrix the buffer
   * @throws IllegalArgumentException if it is not, or was given back before
   */
  public void giveBack(QuantizedMatrix matrix) {
    requireTaken(matrix);
    buffers.giveBack(matrix);
  }

  /**
   * Keeps a buffer of {@link #take(Scaling, int, int)} until the next reset, for the way back; to
   * be called once it is filled.
   *
   * @param matrix the buffer, which is the tape's from now on
   * @throws IllegalArgumentException if it is not, or was given back before
   */
  public void keep(QuantizedMatrix matrix) {
    requireTaken(matrix);
    if (keeping) {
      buffers.keep(matrix);
    }
  }

  void keep(FloatMatrix matrix) {
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
