package dev.switchyard.kernels;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.kernels.data.Activation;
import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.RandomStream;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.data.SparseMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/**
 * The operations of the kernels on one backend: calls drawn as in {@link PublicApiFuzzTest}, and
 * buffers that are used after their filling failed. After each error some products and
 * quantizations around the edges of panels have to be what they were before, with nothing written
 * beside them.
 */
public final class KernelFaultCases implements FaultCases {
  private static final int MANY_DRAWS = 2000;

  /** A property that names the backend; without it the one that is chosen for the processor. */
  public static final String BACKEND = "switchyard.faults.backend";

  /** A property that says how many calls to draw, of which the first of each kind is a case. */
  public static final String DRAWS = "switchyard.faults.draws";

  private final Kernels kernels = kernels();
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();
  private final int[] witness = witness();

  private static Kernels kernels() {
    String name = System.getProperty(BACKEND);
    return Kernels.create(
        name == null ? BackendChoice.automatic() : BackendChoice.named(name), Parallel.serial());
  }

  @Override
  public Map<String, FaultCase> cases() {
    for (long seed = 1; seed <= Integer.getInteger(DRAWS, MANY_DRAWS); seed++) {
      FuzzCase drawn = PublicApiFuzzTest.draw(seed);
      long drawnWith = seed;
      String kind = drawn.toString().replaceAll("\\[.*|[0-9]+x[0-9]+|\\b[0-9]+", "");
      if (!drawn.isRefused() && !kind.startsWith("reshaped")) {
        cases.putIfAbsent(kind, () -> new Drawn(drawnWith));
      }
    }
    addOthers();
    FloatMatrix before = Matrices.gaussian(37, 45, 1);
    FloatMatrix after = Matrices.gaussian(41, 40, 2);
    for (ElementType type : ElementType.values()) {
      for (Form form : Form.values()) {
        cases.put(
            "packing " + type + " " + form,
            () -> new Filled(new Packing(type, form), before, after));
      }
    }
    cases.put(
        "quantizing and packing", () -> new Filled(new QuantizingAndPacking(), before, after));
    for (Scaling scaling : Scaling.values()) {
      for (Rounding rounding : List.of(Rounding.NEAREST_EVEN, Rounding.stochastic(3))) {
        cases.put(
            "quantizing by " + scaling + " " + rounding,
            () -> new Filled(new Quantizing(scaling, rounding), before, after));
      }
    }
    cases.put("a generator of a stream", Streaming::new);
    cases.put("outliers", () -> new Filled(new Splitting(), before, after));
    return cases;
  }

  /** What is not drawn. */
  private void addOthers() {
    FloatMatrix x = Matrices.gaussian(5, 7, 9);
    add(
        "backend",
        () -> {
          BackendChoice choice = BackendChoice.named(kernels.backend().name());
          return new int[] {
            choice.reason().length(), choice.peak(ElementType.INT8).isPresent() ? 1 : 0
          };
        });
    add(
        "automatic backend",
        () ->
            new int[] {
              Kernels.create(BackendChoice.automatic(), Parallel.serial()).parallel().threads(),
              Kernels.create(Parallel.serial()).parallel().threads()
            });
    add(
        "an int product",
        () -> {
          QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
          kernels.quantize(x, q);
          IntMatrix y = IntMatrix.allocate(5, 5);
          kernels.multiply(Form.NT, q, q, Epilogue.STORE, y);
          return y.data();
        });
    for (Activation f : Activation.values()) {
      add(
          "activation " + f,
          () -> {
            FloatMatrix y = FloatMatrix.allocate(5, 7);
            FloatMatrix gx = FloatMatrix.allocate(5, 7);
            kernels.activations().forward(f, x, y);
            kernels.activations().backward(f, x, y, gx);
            return join(Matrices.bits(y.data()), Matrices.bits(gx.data()));
          });
    }
    add(
        "softmax of some",
        () -> {
          FloatMatrix p = Matrices.copy(x);
          float[] normalizers = new float[10];
          kernels.elementwise().softmax(p, 4, 1, normalizers, 0);
          FloatMatrix again = Matrices.copy(x);
          kernels.elementwise().softmaxFromNormalizers(again, 4, 1, normalizers, 0);
          return join(Matrices.bits(p.data()), Matrices.bits(again.data()));
        });
    add(
        "reading what is quantized and packed",
        () -> {
          QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
          kernels.quantize(x, q);
          PackedMatrix packed = new PackedMatrix();
          kernels.pack(ElementType.INT8, Form.NN, q, packed);
          return new int[] {
            q.get(1, 2),
            Float.floatToIntBits(packed.scale(3)),
            (int) packed.bytes(),
            packed.reserveArray().length,
            (int) packed.reserveMemory(8).byteSize()
          };
        });
    add(
        "elements",
        () -> {
          FloatMatrix copy = FloatMatrix.allocate(5, 7);
          x.copyTo(copy);
          float[] array = new float[35];
          copy.copyTo(array);
          copy.copyFrom(array);
          copy.copyTo(FloatBuffer.wrap(array));
          copy.copyFrom(FloatBuffer.wrap(array));
          copy.copyTo(MemorySegment.ofArray(array));
          copy.copyFrom(MemorySegment.ofArray(array));
          copy.set(1, 1, 4);
          Bfloat16Matrix halves = Bfloat16Matrix.allocate(1, 2);
          halves.set(0, 1, 3);
          IntMatrix ints = IntMatrix.allocate(1, 2);
          ints.set(0, 1, 3);
          int[] rest = {ints.data()[1], halves.data()[1], halves.shape().length()};
          return join(Matrices.bits(copy.data()), rest);
        });
    add(
        "policy",
        () -> {
          QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);
          kernels.withNonFinite(NonFinitePolicy.PROPAGATE).quantize(x, q);
          return Matrices.content(q);
        });
    int inner = Kernels.MAX_INT8_INNER + 1;
    QuantizedMatrix long1 = Matrices.quantized(1, inner, Scaling.TENSOR, 1, (i, j) -> j % 7);
    QuantizedMatrix long2 = Matrices.quantized(2, inner, Scaling.TENSOR, 2, (i, j) -> j % 5);
    add(
        "a product in parts",
        () -> {
          PackedMatrix packed = new PackedMatrix();
          kernels.pack(ElementType.INT8, Form.NT, long2, packed);
          FloatMatrix y = FloatMatrix.allocate(1, 2);
          kernels.multiply(long1, packed, Epilogue.bias(new float[2]), y);
          return Matrices.bits(y.data());
        });
    add(
        "sequences",
        () -> {
          Sequences sequences = Sequences.ofLengths(2, 3);
          sequences.requireRows(5);
          return new int[] {sequences.tokens()};
        });
    add(
        "parallel",
        () -> {
          int[] done = new int[9];
          Parallel.ofThreads(2).forEach(4, i -> done[i]++);
          Parallel.over(ForkJoinPool.commonPool(), 2).forEach(5, i -> done[4 + i]++);
          return done;
        });
  }

  private void add(String name, Supplier<int[]> call) {
    cases.put(name, () -> new Call(call));
  }

  /** A call that needs nothing from outside, made once more after an error. */
  private final class Call implements FaultCase.Run {
    private final Supplier<int[]> call;
    private int[] result;

    Call(Supplier<int[]> call) {
      this.call = call;
    }

    @Override
    public void operate() {
      result = call.get();
    }

    @Override
    public String check(boolean failed) {
      return failed || Arrays.equals(result, call.get())
          ? otherCalls()
          : "gives something else again";
    }
  }

  /** Products and quantizations of many widths, with the bits around them. */
  private int[] witness() {
    int[] bits = {};
    for (int cols : new int[] {1, 16, 33}) {
      float[] c = new float[64 + 3 * cols + 64];
      Arrays.fill(c, 7);
      FloatMatrix view = new FloatMatrix(c, 64, 3, cols, cols);
      FloatMatrix a = Matrices.gaussian(3, 9, 5);
      FloatMatrix b = Matrices.gaussian(9, cols, 6);
      kernels.multiply(ElementType.FLOAT32, Form.NN, a, b, Epilogue.STORE, view);
      bits = join(bits, Matrices.bits(c));
      QuantizedMatrix qa = new QuantizedMatrix(Scaling.ROW);
      QuantizedMatrix qb = new QuantizedMatrix(Scaling.COLUMN);
      kernels.quantize(a, qa);
      kernels.quantize(b, qb);
      kernels.multiply(ElementType.INT8, Form.NN, qa, qb, Epilogue.bias(new float[cols]), view);
      bits = join(bits, Matrices.bits(c));
      QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);
      kernels.quantize(b, q);
      bits = join(bits, Matrices.content(q));
    }
    return bits;
  }

  private static int[] join(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private String otherCalls() {
    int at = Arrays.mismatch(witness, witness());
    return at < 0 ? null : "another call differs from before at " + at;
  }

  /** A drawn call, which is made once more after an error. */
  private final class Drawn implements FaultCase.Run {
    private final long seed;
    private final FuzzCase call;
    private String wrong;

    Drawn(long seed) {
      this.seed = seed;
      call = PublicApiFuzzTest.draw(seed);
    }

    @Override
    public void operate() {
      wrong = call.run(kernels);
    }

    @Override
    public String check(boolean failed) {
      if (wrong != null) {
        return wrong;
      }
      String disturbed = call.canaries.disturbed(false);
      if (disturbed != null) {
        return disturbed;
      }
      FuzzCase right = PublicApiFuzzTest.draw(seed);
      wrong = right.run(kernels);
      FuzzCase again = failed ? PublicApiFuzzTest.draw(seed) : call;
      wrong = wrong == null && failed ? again.run(kernels) : wrong;
      wrong = wrong == null ? again.difference(right) : wrong;
      return wrong == null && failed ? otherCalls() : wrong;
    }
  }

  /** A buffer and how to fill and use it. */
  private interface Buffer {
    void fill(FloatMatrix x);

    /** What comes out, by whatever reads it. */
    List<Supplier<int[]>> uses();
  }

  /** A buffer that is filled once more: it holds what it held, or the new values, or is refused. */
  private final class Filled implements FaultCase.Run {
    private final Buffer buffer;
    private final FloatMatrix after;
    private final List<int[]> held;

    Filled(Buffer buffer, FloatMatrix before, FloatMatrix after) {
      this.buffer = buffer;
      this.after = after;
      buffer.fill(before);
      held = buffer.uses().stream().map(Supplier::get).toList();
    }

    @Override
    public void operate() {
      buffer.fill(after);
    }

    @Override
    public String check(boolean failed) {
      List<int[]> left = buffer.uses().stream().map(Filled::orNull).toList();
      if (!failed && left.contains(null)) {
        return "is refused, but was filled";
      }
      buffer.fill(after);
      List<int[]> right = buffer.uses().stream().map(Supplier::get).toList();
      for (int i = 0; i < right.size(); i++) {
        int[] values = left.get(i);
        boolean isOld = failed && Arrays.equals(values, held.get(i));
        if (values != null && !isOld && !Arrays.equals(values, right.get(i))) {
          return "use " + i + " gave neither the old nor the new values";
        }
      }
      return otherCalls();
    }

    private static int[] orNull(Supplier<int[]> use) {
      try {
        return use.get();
      } catch (IllegalStateException e) {
        if (!e.getMessage().contains(" holds no values: ")) {
          throw e;
        }
        return null;
      }
    }
  }

  private int[] product(PackedMatrix b) {
    FloatMatrix a =
        Matrices.gaussian(
            b.form() == Form.TN ? b.inner() : 3, b.form() == Form.TN ? 3 : b.inner(), 4);
    FloatMatrix c = FloatMatrix.allocate(3, b.cols());
    if (b.type() != ElementType.INT8) {
      kernels.multiply(a, b, Epilogue.STORE, c);
    } else {
      QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
      kernels.quantize(a, q);
      kernels.multiply(q, b, Epilogue.STORE, c);
    }
    return Matrices.bits(c.data());
  }

  private final class Packing implements Buffer {
    private final PackedMatrix panels = new PackedMatrix();
    private final ElementType type;
    private final Form form;

    Packing(ElementType type, Form form) {
      this.type = type;
      this.form = form;
    }

    @Override
    public void fill(FloatMatrix x) {
      if (type != ElementType.INT8) {
        kernels.pack(type, form, x, panels);
        return;
      }
      QuantizedMatrix q = new QuantizedMatrix(form == Form.NT ? Scaling.ROW : Scaling.COLUMN);
      kernels.quantize(x, q);
      kernels.pack(type, form, q, panels);
    }

    @Override
    public List<Supplier<int[]>> uses() {
      return List.of(() -> product(panels));
    }
  }

  private final class QuantizingAndPacking implements Buffer {
    private final QuantizedMatrix q = new QuantizedMatrix(Scaling.TENSOR);
    private final PackedMatrix forward = new PackedMatrix();
    private final PackedMatrix inputGradient = new PackedMatrix();

    @Override
    public void fill(FloatMatrix x) {
      kernels.quantizeAndPack(x, NonFinitePolicy.REJECT, q, forward, inputGradient);
    }

    @Override
    public List<Supplier<int[]>> uses() {
      return List.of(() -> dequantized(q), () -> product(forward), () -> product(inputGradient));
    }
  }

  /** A generator that nobody got is the next. */
  private static final class Streaming implements FaultCase.Run {
    private final RandomStream stream = new RandomStream(5);

    @Override
    public void operate() {
      stream.next();
    }

    @Override
    public String check(boolean failed) {
      long expected = new CounterRandom(5).split(failed ? 0 : 1).key(0);
      return stream.next().key(0) == expected ? null : "gives another generator";
    }
  }

  private int[] dequantized(QuantizedMatrix q) {
    FloatMatrix x = FloatMatrix.allocate(q.rows(), q.cols());
    kernels.dequantize(q, x);
    return Matrices.bits(x.data());
  }

  private final class Quantizing implements Buffer {
    private final QuantizedMatrix q;
    private final Rounding rounding;

    Quantizing(Scaling scaling, Rounding rounding) {
      q = new QuantizedMatrix(scaling);
      this.rounding = rounding;
    }

    @Override
    public void fill(FloatMatrix x) {
      kernels.quantize(x, rounding, NonFinitePolicy.REJECT, q);
    }

    @Override
    public List<Supplier<int[]>> uses() {
      return List.of(() -> dequantized(q));
    }
  }

  private final class Splitting implements Buffer {
    private final SparseMatrix outliers = new SparseMatrix();

    @Override
    public void fill(FloatMatrix x) {
      kernels.outliers().split(x, 1, outliers, FloatMatrix.allocate(x.rows(), x.cols()));
    }

    @Override
    public List<Supplier<int[]>> uses() {
      return List.of(
          () -> {
            FloatMatrix y = FloatMatrix.allocate(outliers.rows(), 3);
            kernels.outliers().addProduct(outliers, Matrices.gaussian(outliers.cols(), 3, 8), y);
            return Matrices.bits(y.data());
          });
    }
  }
}
