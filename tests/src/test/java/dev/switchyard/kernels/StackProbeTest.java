package dev.switchyard.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Operations that begin at every distance from the end of the stack: they end there before they
 * have changed anything, or they are done and right.
 */
class StackProbeTest {
  private static final int STACK_BYTES = 256 << 10;
  private static final int WARM_CALLS = 5;

  /** Frames are of 24 bytes at least, and what an operation asks for is 13 KB at most. */
  private static final int MOST_FRAMES = 1_000;

  private static final int DRAWS = 500;

  /** What a drawn call does. */
  private static final Pattern KIND = Pattern.compile("\\w+( (NN|NT|TN|backward)\\b)?");

  private static final String DRIVER = "dev.switchyard.kernels.driver.";
  private static final String BACKEND = "dev.switchyard.kernels.backend.";
  private static final FloatMatrix BEFORE = Matrices.gaussian(190, 180, 1);
  private static final FloatMatrix AFTER = Matrices.gaussian(200, 170, 2);

  /** An operation on objects of its own. */
  private interface Operation {
    void operate();

    /** What it has changed although it was not done, or null. */
    String changed();

    /** What is wrong with what it has done, or null. */
    String wrong();
  }

  /** Virtual threads run on the stacks of others. */
  static Stream<Arguments> setups() {
    return Stream.concat(Setup.BACKENDS.stream(), EmittedPathsTest.paths().stream())
        .flatMap(name -> Stream.of(Arguments.of(name, 1, false), Arguments.of(name, 2, true)));
  }

  @ParameterizedTest
  @CsvSource({"x86, 1, false", "vector, 2, true"})
  void someAreDoneOrChangeNothing(String backend, int threads, boolean virtual)
      throws InterruptedException {
    run(backend, threads, virtual, 7, 41);
  }

  @Tag("full")
  @ParameterizedTest
  @MethodSource("setups")
  void allAreDoneOrChangeNothing(String backend, int threads, boolean virtual)
      throws InterruptedException {
    run(backend, threads, virtual, 1, 2);
  }

  /** Takes one of so many operations, and of frames. */
  private static void run(
      String backend, int threads, boolean virtual, int stepOfOperations, int step)
      throws InterruptedException {
    Kernels kernels = Setup.on(backend, Parallel.ofThreads(threads));
    Map<String, String> failures = new LinkedHashMap<>();
    int[] ends = {0};
    List<Map.Entry<String, Supplier<Operation>>> operations =
        List.copyOf(operations(kernels).entrySet());
    Runnable all =
        () -> {
          for (int i = 0; i < operations.size(); i += stepOfOperations) {
            Descent descent = new Descent(operations.get(i).getValue().get(), step);
            String failure = descent.run();
            ends[0] += descent.ends;
            if (failure != null) {
              failures.put(operations.get(i).getKey(), failure);
            }
          }
        };
    Thread thread =
        virtual
            ? Thread.ofVirtual().unstarted(all)
            : new Thread(null, all, "small stack", STACK_BYTES);
    thread.start();
    thread.join();

    assertThat(failures).isEmpty();
    assertThat(ends[0]).isGreaterThan(operations.size() / stepOfOperations);
  }

  /** One operation, nearer to the end of the stack at first and farther from it in the end. */
  private static final class Descent {
    private final Operation operation;
    private final int step;
    private int distance;
    private boolean begun;
    private StackOverflowError end;
    int ends;

    Descent(Operation operation, int step) {
      this.operation = operation;
      this.step = step;
    }

    String run() {
      for (distance = 0; distance < MOST_FRAMES; distance += step) {
        begun = false;
        end = null;
        descend();
        if (end == null && begun) {
          return operation.wrong();
        }
        ends += end == null ? 0 : 1;
        String changed = end == null ? null : operation.changed();
        StackTraceElement late = end == null ? null : late(end);
        if (changed != null || late != null) {
          return distance + " frames from the end, in " + late + ": " + changed;
        }
      }
      return "has no end";
    }

    /** Where it ended, if that is not in the checks of arguments or the probe. */
    private static StackTraceElement late(StackOverflowError end) {
      for (StackTraceElement at : end.getStackTrace()) {
        String name = at.getClassName();
        boolean constants = name.endsWith("$AdamStep"); // made before
        if (name.startsWith(DRIVER) || (name.startsWith(BACKEND) && !constants)) {
          return at;
        }
      }
      return null;
    }

    /** To the end of the stack, and the operation some frames from there. */
    @SuppressWarnings("InfiniteRecursion")
    private int descend() {
      int frames;
      try {
        frames = descend() + 1;
      } catch (StackOverflowError e) {
        frames = 0;
      }
      if (frames >= distance && !begun) {
        try {
          begun = true;
          operation.operate();
        } catch (StackOverflowError e) {
          end = e;
        }
      }
      return frames;
    }
  }

  private static Map<String, Supplier<Operation>> operations(Kernels kernels) {
    Map<String, Supplier<Operation>> operations = new LinkedHashMap<>();
    for (long seed = 1; seed <= DRAWS; seed++) {
      FuzzCase drawn = PublicApiFuzzTest.draw(seed);
      String kind = KIND.matcher(drawn.toString()).results().findFirst().orElseThrow().group();
      if (!drawn.isRefused() && !kind.startsWith("reshaped") && !operations.containsKey(kind)) {
        long drawnWith = seed;
        operations.put(kind, () -> new Drawn(kernels, drawnWith));
      }
    }
    for (Scaling scaling : Scaling.values()) {
      for (Rounding rounding : List.of(Rounding.NEAREST_EVEN, Rounding.stochastic(3))) {
        operations.put(
            "filling " + scaling + " " + rounding,
            () -> new Filling(() -> new Quantizing(kernels, scaling, rounding)));
      }
    }
    for (Form form : Form.values()) {
      operations.put("filling " + form, () -> new Filling(() -> new Packing(kernels, form)));
    }
    operations.put("filling both ways", () -> new Filling(() -> new PackingBothWays(kernels)));
    return operations;
  }

  /** A call as {@link PublicApiFuzzTest} draws it. */
  private static final class Drawn implements Operation {
    private final Kernels kernels;
    private final FuzzCase call;
    private final FuzzCase right;

    Drawn(Kernels kernels, long seed) {
      this.kernels = kernels;
      for (int i = 0; i < WARM_CALLS; i++) {
        PublicApiFuzzTest.draw(seed).make(kernels);
      }
      right = PublicApiFuzzTest.draw(seed);
      right.make(kernels);
      call = PublicApiFuzzTest.draw(seed);
      call.canaries.snapshot();
    }

    @Override
    public void operate() {
      call.make(kernels);
    }

    @Override
    public String changed() {
      return call.canaries.disturbed(true);
    }

    @Override
    public String wrong() {
      String disturbed = call.canaries.disturbed(false);
      return disturbed == null ? call.difference(right) : disturbed;
    }
  }

  /** What is filled: it holds what it held, or the new values. */
  private interface Buffer {
    void fill(FloatMatrix x);

    int[] content();
  }

  private static final class Filling implements Operation {
    private final Buffer buffer;
    private final int[] held;
    private final int[] right;

    Filling(Supplier<Buffer> maker) {
      Buffer other = maker.get();
      other.fill(BEFORE); // leaves the same beyond the last element
      for (int i = 0; i < WARM_CALLS; i++) {
        other.fill(AFTER);
      }
      right = other.content();
      buffer = maker.get();
      buffer.fill(BEFORE);
      held = buffer.content();
    }

    @Override
    public void operate() {
      buffer.fill(AFTER);
    }

    @Override
    public String changed() {
      return difference(held);
    }

    @Override
    public String wrong() {
      return difference(right);
    }

    private String difference(int[] expected) {
      try {
        int at = Arrays.mismatch(buffer.content(), expected);
        return at < 0 ? null : "differs at " + at;
      } catch (IllegalStateException e) {
        return e.getMessage();
      }
    }
  }

  private static int[] content(QuantizedMatrix q) {
    q.requireFilled();
    return Matrices.content(q);
  }

  private static int[] content(PackedMatrix panels) {
    panels.requireFilled();
    return Matrices.content(panels);
  }

  private record Quantizing(Kernels kernels, Rounding rounding, QuantizedMatrix q)
      implements Buffer {
    Quantizing(Kernels kernels, Scaling scaling, Rounding rounding) {
      this(kernels, rounding, new QuantizedMatrix(scaling));
    }

    @Override
    public void fill(FloatMatrix x) {
      kernels.quantize(x, rounding, NonFinitePolicy.REJECT, q);
    }

    @Override
    public int[] content() {
      return StackProbeTest.content(q);
    }
  }

  private record Packing(Kernels kernels, Form form, PackedMatrix panels) implements Buffer {
    Packing(Kernels kernels, Form form) {
      this(kernels, form, new PackedMatrix());
    }

    @Override
    public void fill(FloatMatrix x) {
      kernels.pack(ElementType.FLOAT32, form, x, panels);
    }

    @Override
    public int[] content() {
      return StackProbeTest.content(panels);
    }
  }

  private record PackingBothWays(
      Kernels kernels, QuantizedMatrix q, PackedMatrix forward, PackedMatrix inputGradient)
      implements Buffer {
    PackingBothWays(Kernels kernels) {
      this(kernels, new QuantizedMatrix(Scaling.TENSOR), new PackedMatrix(), new PackedMatrix());
    }

    @Override
    public void fill(FloatMatrix x) {
      kernels.quantizeAndPack(x, NonFinitePolicy.REJECT, q, forward, inputGradient);
    }

    @Override
    public int[] content() {
      return IntStream.of(
              Arrays.hashCode(StackProbeTest.content(q)),
              Arrays.hashCode(StackProbeTest.content(forward)),
              Arrays.hashCode(StackProbeTest.content(inputGradient)))
          .toArray();
    }
  }
}
