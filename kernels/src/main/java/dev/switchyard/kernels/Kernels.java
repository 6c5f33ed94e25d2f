package dev.switchyard.kernels;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.Float8Rounding;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.driver.MatmulDriver;
import dev.switchyard.kernels.driver.QuantizeDriver;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.kernels.stack.StackProbe;
import java.util.Locale;
import java.util.Objects;

/**
 * Quantization and matrix products on one backend and a number of threads.
 *
 * <p>int8 results are the same bit for bit on every backend and for every number of threads; float
 * results are the same for every number of threads. All arguments are checked before anything is
 * written, and so is whether the stack has room: else a {@link StackOverflowError} comes first. The
 * result of a product must not share elements with its operands.
 *
 * <p>Immutable and thread-safe: calls from several threads at a time do not disturb each other as
 * long as they write to different results. Calls on one thread allocate nothing once their buffers
 * are there. Buffers belong to no thread: any number of threads, virtual ones too, share a few a
 * processor, and they go with the last user of the class, as emitted code and threads do.
 */
public final class Kernels {
  /**
   * The longest inner dimension of an int8 product whose result is int32: 127 * 127 * 131072 still
   * fits an int. Products with other results may be longer.
   */
  public static final int MAX_INT8_INNER = 131_072;

  private final BackendChoice choice;
  private final Parallel parallel;
  private final NonFinitePolicy nonFinite;
  private final MatmulDriver matmul;
  private final QuantizeDriver quantize;
  private final Elementwise elementwise;
  private final Activations activations;
  private final IndexedRows indexedRows;
  private final Outliers outliers;
  private final Kernels serial;

  private Kernels(BackendChoice choice, Parallel parallel, NonFinitePolicy nonFinite) {
    this.choice = Objects.requireNonNull(choice, "choice");
    this.parallel = Objects.requireNonNull(parallel, "parallel");
    this.nonFinite = Objects.requireNonNull(nonFinite, "nonFinite");
    this.matmul = new MatmulDriver(choice.backend(), parallel);
    this.quantize = new QuantizeDriver(choice.backend(), matmul, parallel);
    this.elementwise = new Elementwise(choice.backend().elementwise(), parallel);
    this.activations = new Activations(choice.backend().activations(), parallel);
    this.indexedRows = new IndexedRows(choice.backend().elementwise(), parallel);
    this.outliers = new Outliers(choice.backend().elementwise());
    this.serial =
        parallel.threads() == 1 ? this : new Kernels(choice, Parallel.serial(), nonFinite);
  }

  /**
   * Kernels on the automatically chosen backend.
   *
   * @param parallel which threads to use
   * @return the kernels
   */
  public static Kernels create(Parallel parallel) {
    return create(BackendChoice.automatic(), parallel);
  }

  /**
   * Kernels on a given backend. An error of the stack or heap ends the creation, rather than a
   * later call: what calls need is initialized here, and a class whose initialization fails is lost
   * to the JVM for good.
   *
   * @param choice the backend
   * @param parallel which threads to use
   * @return the kernels
   */
  public static Kernels create(BackendChoice choice, Parallel parallel) {
    StackProbe.requireForOthers();
    Kernels kernels = new Kernels(choice, parallel, NonFinitePolicy.REJECT);
    kernels.serial.initializeClasses();
    return kernels;
  }

  /**
   * Passes through the classes that calls need. One whose first use meets the end of the stack can
   * never be used again; here there is room.
   */
  private void initializeClasses() {
    FloatMatrix x = FloatMatrix.allocate(1, 64); // whole vectors
    for (Scaling scaling : Scaling.values()) {
      QuantizedMatrix q = new QuantizedMatrix(scaling);
      quantize(x, Rounding.stochastic(1), NonFinitePolicy.PROPAGATE, q);
      dequantize(q, x);
    }
    QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    quantize(x, q);
    multiply(ElementType.INT8, Form.NT, q, q, Epilogue.STORE, FloatMatrix.allocate(1, 1));
    elementwise.dropout(x, 0.5f, 1, x);
  }

  /**
   * The same backend and threads with a policy on numbers that are not finite, for all that
   * computes with these kernels: whoever asks for none, {@linkplain #quantize(FloatMatrix,
   * QuantizedMatrix) here} as in layers, losses and optimizers, is under this one.
   *
   * @param policy what to do; {@link NonFinitePolicy#REJECT} in kernels that were just created
   * @return the kernels
   */
  public Kernels withNonFinite(NonFinitePolicy policy) {
    return policy == nonFinite ? this : new Kernels(choice, parallel, policy);
  }

  /**
   * What is done about numbers that are not finite.
   *
   * @return the policy
   */
  public NonFinitePolicy nonFinite() {
    return nonFinite;
  }

  /**
   * The backend and the reason for its choice.
   *
   * @return the choice
   */
  public BackendChoice backend() {
    return choice;
  }

  /**
   * The threads in use.
   *
   * @return where work runs
   */
  public Parallel parallel() {
    return parallel;
  }

  /**
   * The same backend on the calling thread alone, for use within a task of {@link #parallel()}.
   *
   * @return kernels of one thread, always the same object
   */
  public Kernels serial() {
    return serial;
  }

  /**
   * Element-wise operations on the same backend and threads.
   *
   * @return the operations
   */
  public Elementwise elementwise() {
    return elementwise;
  }

  /**
   * Functions of each element.
   *
   * @return the operations
   */
  public Activations activations() {
    return activations;
  }

  /**
   * Operations on rows that are given by their indices, on the same backend and threads.
   *
   * @return the operations
   */
  public IndexedRows indexedRows() {
    return indexedRows;
  }

  /**
   * Operations on elements too large for the scale of their row, on the same backend.
   *
   * @return the operations
   */
  public Outliers outliers() {
    return outliers;
  }

  /**
   * Quantizes to int8 (Wortsman et al. 2023, section 2.2): {@code scale = absmax / 127}, {@code q =
   * round(x * (1 / scale))} in [-127, 127], with one absmax for each row, column, or for all, as
   * {@code out.scaling()} says. Where absmax is below 127 times the smallest normal float, the
   * scale and the values are zero.
   *
   * @param x the matrix to quantize
   * @param rounding nearest-even or stochastic
   * @param policy what to do with a NaN or an infinity
   * @param out takes the shape of x; row sums are filled too. After an exception that is not about
   *     the arguments it holds no values
   * @throws NonFiniteException if x holds a non-finite value and {@code policy} is REJECT
   */
  public void quantize(
      FloatMatrix x, Rounding rounding, NonFinitePolicy policy, QuantizedMatrix out) {
    Objects.requireNonNull(rounding, "rounding");
    Objects.requireNonNull(policy, "policy");
    StackProbe.require();
    quantize.quantize(x, rounding, policy, out);
  }

  /**
   * Quantizes to the nearest, ties to even, under the policy of these kernels.
   *
   * @param x the matrix to quantize
   * @param out takes the shape of x
   * @throws NonFiniteException if x holds a non-finite value and {@link #nonFinite()} is REJECT
   */
  public void quantize(FloatMatrix x, QuantizedMatrix out) {
    quantize(x, Rounding.NEAREST_EVEN, nonFinite, out);
  }

  /**
   * Restores {@code x = scale * q}.
   *
   * @param q the quantized matrix
   * @param x receives the values
   * @throws IllegalArgumentException if the shapes differ
   * @throws IllegalStateException if q was not filled
   */
  public void dequantize(QuantizedMatrix q, FloatMatrix x) {
    q.requireFilled();
    if (x.rows() != q.rows() || x.cols() != q.cols()) {
      throw new IllegalArgumentException(
          "result is " + x.shape() + " but the quantized matrix is " + q.shape());
    }
    StackProbe.require();
    quantize.dequantize(q, x);
  }

  /**
   * Rounds a matrix to what it would be in float8: {@code scale * nearest(x / scale)}, {@code scale
   * = absmax / largest number of the format}, with one absmax for each row or for all (Wortsman et
   * al. 2023, section 2.2). The result stays in 32-bit floats: float8 is simulated. Where absmax is
   * below the largest number times the smallest normal float, the result is zero. With a scale that
   * is a power of two, a value next to the largest float can round up to infinity.
   *
   * @param x the matrix to round
   * @param rounding the numbers of float8 and their scales
   * @param policy what to do with a NaN or an infinity; where it propagates, all that share its
   *     scale become NaN
   * @param out receives the values; may be x
   * @throws NonFiniteException if x holds a non-finite value and {@code policy} is REJECT; nothing
   *     is changed then
   * @throws IllegalArgumentException if the shapes differ
   */
  public void roundToFloat8(
      FloatMatrix x, Float8Rounding rounding, NonFinitePolicy policy, FloatMatrix out) {
    Objects.requireNonNull(rounding, "rounding");
    Objects.requireNonNull(policy, "policy");
    if (out.rows() != x.rows() || out.cols() != x.cols()) {
      throw new IllegalArgumentException(
          "result is " + out.shape() + " but the matrix to round is " + x.shape());
    }
    StackProbe.require();
    quantize.roundToFloat8(x, rounding, policy, out);
  }

  /**
   * Quantizes a weight with one scale and packs the one int8 matrix for the forward product X W^T
   * and for the input gradient G W, in one pass after the search for the scale.
   *
   * @param w the weight [out features, in features]
   * @param policy what to do with a NaN or an infinity
   * @param q takes the int8 weight; its scaling must be TENSOR
   * @param forward takes the panels of W^T, form NT
   * @param inputGradient takes the panels of W, form NN
   * @throws NonFiniteException if w holds a non-finite value and {@code policy} is REJECT; nothing
   *     is changed then
   * @throws IllegalArgumentException if {@code q} has a scale a row or a column, or both packed
   *     matrices are the same
   */
  public void quantizeAndPack(
      FloatMatrix w,
      NonFinitePolicy policy,
      QuantizedMatrix q,
      PackedMatrix forward,
      PackedMatrix inputGradient) {
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(forward, "forward");
    Objects.requireNonNull(inputGradient, "inputGradient");
    if (forward == inputGradient) {
      throw new IllegalArgumentException(
          "forward and inputGradient are one packed matrix (expected two: their panels differ)");
    }
    if (q.scaling() != Scaling.TENSOR) {
      throw new IllegalArgumentException(
          "a weight packed both ways has one scale a "
              + q.scaling().name().toLowerCase(Locale.ROOT)
              + " (expected TENSOR, the only one that can be factored out of both products)");
    }
    StackProbe.require();
    quantize.quantizeAndPack(w, policy, q, forward, inputGradient);
  }

  /**
   * Packs the right-hand operand of products, for use any number of times.
   *
   * @param type element type of the products: INT8 takes a {@link QuantizedMatrix}; FLOAT32 and
   *     BFLOAT16 take any matrix, dequantized, widened and rounded as needed
   * @param form form of the products
   * @param b the operand as it is stored: [n, k] for NT, [k, n] for NN and TN
   * @param out receives the panels; after an exception that is not about the arguments it holds no
   *     values
   * @throws IllegalArgumentException if type and operand do not go together, or a scale lies along
   *     the inner dimension
   */
  public void pack(ElementType type, Form form, Matrix b, PackedMatrix out) {
    checkOperand("right", type, form, b, Scaling.ROW, Scaling.COLUMN);
    StackProbe.require();
    matmul.pack(type, form, b, out);
  }

  /**
   * C = epilogue(A op B) with a packed B; type and form are those of the packing.
   *
   * @param a the left operand as it is stored: [m, k] for NT and NN, [k, m] for TN
   * @param b the right operand
   * @param epilogue scales are those of the operands; bias and accumulation
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes, types or scales do not go together
   * @throws IllegalStateException if an operand holds no values
   */
  public void multiply(Matrix a, PackedMatrix b, Epilogue epilogue, FloatMatrix c) {
    checkProduct(a, b);
    checkResult(b.form().resultRows(a), b.cols(), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(a, b, epilogue, c);
  }

  /**
   * As {@link #multiply(Matrix, PackedMatrix, Epilogue, FloatMatrix)}, with every element of C
   * rounded to the nearest bfloat16, ties to even, when all of its sum is known.
   *
   * @param a the left operand
   * @param b the right operand
   * @param epilogue scales are those of the operands; bias and accumulation
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes, types or scales do not go together
   * @throws IllegalStateException if an operand holds no values
   */
  public void multiply(Matrix a, PackedMatrix b, Epilogue epilogue, Bfloat16Matrix c) {
    checkProduct(a, b);
    checkResult(b.form().resultRows(a), b.cols(), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(a, b, epilogue, c);
  }

  /**
   * The exact int32 sums of an int8 product with a packed B, without scales.
   *
   * @param a the left operand
   * @param b the right operand, packed as INT8
   * @param epilogue {@link Epilogue#STORE} or {@link Epilogue#ACCUMULATE}
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes or types do not go together, there is a bias, or the
   *     inner dimension is over {@link #MAX_INT8_INNER}
   */
  public void multiply(QuantizedMatrix a, PackedMatrix b, Epilogue epilogue, IntMatrix c) {
    checkProduct(a, b);
    checkIntegers(b.type(), b.inner(), epilogue);
    checkResult(b.form().resultRows(a), b.cols(), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(a, b, epilogue, c);
  }

  /**
   * C = epilogue(A op B), packing B on the way into a buffer that is kept.
   *
   * @param type element type of the product
   * @param form form of the product
   * @param a the left operand: [m, k] for NT and NN, [k, m] for TN
   * @param b the right operand: [n, k] for NT, [k, n] for NN and TN
   * @param epilogue scales are those of the operands; bias and accumulation
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes, types or scales do not go together
   * @throws IllegalStateException if an operand holds no values
   */
  public void multiply(
      ElementType type, Form form, Matrix a, Matrix b, Epilogue epilogue, FloatMatrix c) {
    checkProduct(type, form, a, b);
    checkResult(form.resultRows(a), form.resultCols(b), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(type, form, a, b, epilogue, c);
  }

  /**
   * As {@link #multiply(ElementType, Form, Matrix, Matrix, Epilogue, FloatMatrix)}, with every
   * element of C rounded to the nearest bfloat16, ties to even, when all of its sum is known.
   *
   * @param type element type of the product
   * @param form form of the product
   * @param a the left operand
   * @param b the right operand
   * @param epilogue scales are those of the operands; bias and accumulation
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes, types or scales do not go together
   * @throws IllegalStateException if an operand holds no values
   */
  public void multiply(
      ElementType type, Form form, Matrix a, Matrix b, Epilogue epilogue, Bfloat16Matrix c) {
    checkProduct(type, form, a, b);
    checkResult(form.resultRows(a), form.resultCols(b), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(type, form, a, b, epilogue, c);
  }

  /**
   * The exact int32 sums of an int8 product, without scales.
   *
   * @param form form of the product
   * @param a the left operand
   * @param b the right operand
   * @param epilogue {@link Epilogue#STORE} or {@link Epilogue#ACCUMULATE}
   * @param c the result [m, n]
   * @throws IllegalArgumentException if shapes do not go together, there is a bias, or the inner
   *     dimension is over {@link #MAX_INT8_INNER}
   */
  public void multiply(
      Form form, QuantizedMatrix a, QuantizedMatrix b, Epilogue epilogue, IntMatrix c) {
    checkProduct(ElementType.INT8, form, a, b);
    checkIntegers(ElementType.INT8, form.innerOf(a), epilogue);
    checkResult(form.resultRows(a), form.resultCols(b), c.rows(), c.cols(), epilogue);
    StackProbe.require();
    matmul.multiply(ElementType.INT8, form, a, b, epilogue, c);
  }

  private static void checkProduct(ElementType type, Form form, Matrix a, Matrix b) {
    checkOperand("left", type, form, a, Scaling.COLUMN, Scaling.ROW);
    checkOperand("right", type, form, b, Scaling.ROW, Scaling.COLUMN);
    if (form.innerOf(a) != form.innerOfRight(b)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "left operand is %s but right operand is %s: form %s sums over %d and %d (expected"
                  + " equal)",
              a.shape(),
              b.shape(),
              form,
              form.innerOf(a),
              form.innerOfRight(b)));
    }
  }

  private void checkProduct(Matrix a, PackedMatrix b) {
    b.requireFilled();
    checkOperand("left", b.type(), b.form(), a, Scaling.COLUMN, Scaling.ROW);
    if (!b.backend().equals(choice.name())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "right operand was packed for backend %s but is used on backend %s",
              b.backend(),
              choice.name()));
    }
    if (b.form().innerOf(a) != b.inner()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "left operand is %s but the packed right operand of form %s sums over %d (expected"
                  + " %d)",
              a.shape(),
              b.form(),
              b.inner(),
              b.form().innerOf(a)));
    }
  }

  /**
   * Checks that the operand suits the type and that its scales do not lie along the inner
   * dimension.
   */
  private static void checkOperand(
      String side, ElementType type, Form form, Matrix m, Scaling ifTransposed, Scaling otherwise) {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(form, "form");
    Objects.requireNonNull(m, side);
    if (m instanceof QuantizedMatrix q) {
      q.requireFilled();
      Scaling outer = form == (side.equals("left") ? Form.TN : Form.NT) ? ifTransposed : otherwise;
      if (type == ElementType.INT8 && q.scaling() != outer && q.scaling() != Scaling.TENSOR) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s operand of form %s has scaling %s, along the inner dimension, where a scale"
                    + " cannot be factored out (expected %s or TENSOR)",
                side,
                form,
                q.scaling(),
                outer));
      }
    } else if (type == ElementType.INT8) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s operand of an INT8 product is a %s (expected a QuantizedMatrix: call quantize"
                  + " first)",
              side,
              m instanceof Bfloat16Matrix ? "Bfloat16Matrix" : "FloatMatrix"));
    }
  }

  private static void checkIntegers(ElementType type, int inner, Epilogue epilogue) {
    if (inner > MAX_INT8_INNER) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an int32 result sums over %d elements (expected at most %d: beyond it the sum can"
                  + " overflow; a FloatMatrix takes longer ones)",
              inner,
              MAX_INT8_INNER));
    }
    if (type != ElementType.INT8 || epilogue.bias() != null) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an int32 result needs an INT8 product without bias (got %s, %s)",
              type,
              epilogue.bias() == null ? "no bias" : "a bias"));
    }
  }

  private static void checkResult(int rows, int cols, int cRows, int cCols, Epilogue epilogue) {
    if (cRows != rows || cCols != cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "result is %dx%d but the product is %dx%d", cRows, cCols, rows, cols));
    }
    if (epilogue.bias() != null && epilogue.bias().length < cols) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "bias has %d elements but the product has %d columns",
              epilogue.bias().length,
              cols));
    }
  }
}
