package dev.switchyard.bench.encoders;

import ai.onnxruntime.OrtException;
import dev.switchyard.bench.adapt.MiniLm;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Texts a second that all-MiniLM-L6-v2 encodes, the same tokens by Switchyard and by ONNX Runtime
 * with as many threads. ONNX Runtime gets what suits it best: texts of one length in one batch,
 * texts of mixed lengths in order of their length, eight at a time, padded and masked; Switchyard
 * takes all as they are.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
@State(Scope.Thread)
public class EncoderBenchmark {
  private static final int TEXTS = 32;

  private static final int VOCABULARY = 30_522;

  /** How many tokens each text has; mixed is from 8 to 256, short ones more often. */
  @Param({"16", "64", "256", "mixed"})
  public String shape;

  /** A precision of Switchyard, or the peer. */
  @Param({
    "FLOAT32",
    "BFLOAT16",
    "SWITCHBACK",
    "SWITCHBACK_Q",
    "SWITCHBACK_OUTLIERS",
    "onnxruntime FLOAT32"
  })
  public String contestant;

  /** Of either. */
  @Param("1")
  public int threads;

  private int[][] texts;
  private int[] ids;
  private Sequences sequences;
  private BertEncoder encoder;
  private Tape tape;
  private OnnxRuntimeEncoder peer;

  /** Filled in by JMH. */
  public EncoderBenchmark() {}

  /** Makes the texts, reads the model and checks that both compute the same. */
  @Setup
  public void prepare() throws IOException, OrtException {
    texts = new int[TEXTS][];
    for (int i = 0; i < TEXTS; i++) {
      int length =
          shape.equals("mixed")
              ? (int) Math.round(8 * Math.pow(32, (double) i * i / ((TEXTS - 1) * (TEXTS - 1))))
              : Integer.parseInt(shape);
      int text = i;
      texts[i] =
          IntStream.range(0, length)
              .map(t -> Integer.remainderUnsigned(CounterRandom.bits(text, t), VOCABULARY))
              .toArray();
    }
    ids = Arrays.stream(texts).flatMapToInt(Arrays::stream).toArray();
    sequences = Sequences.ofLengths(Arrays.stream(texts).mapToInt(t -> t.length).toArray());
    tape = Tape.inference(Kernels.create(Parallel.ofThreads(threads)));
    Path model = MiniLm.extract();
    try {
      boolean ours = !contestant.equals("onnxruntime FLOAT32");
      encoder = read(model, ours ? Precision.valueOf(contestant) : Precision.FLOAT32);
      peer = new OnnxRuntimeEncoder(model, threads);
      check(ours ? contestant : "FLOAT32");
    } finally {
      Files.delete(model);
    }
    if (contestant.equals("onnxruntime FLOAT32")) {
      encoder = null;
    } else {
      close();
    }
  }

  private static BertEncoder read(Path model, Precision precision) throws IOException {
    return BertEncoder.readOnnx(model, precision);
  }

  /** The first state of each text: equal in float32, of about the same direction otherwise. */
  private void check(String precision) throws OrtException {
    float[][] expected = peer.firstStates(texts);
    FloatMatrix states = encoder.forward(tape, ids, sequences).value();
    double least = precision.equals("FLOAT32") ? 0.99999 : 0.8;
    for (int i = 0; i < TEXTS; i++) {
      double dot = 0;
      double ours = 0;
      double theirs = 0;
      for (int j = 0; j < states.cols(); j++) {
        double x = states.get(sequences.start(i), j);
        dot += x * expected[i][j];
        ours += x * x;
        theirs += (double) expected[i][j] * expected[i][j];
      }
      double cosine = dot / Math.sqrt(ours * theirs);
      if (!(cosine >= least)) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "text %d in %s has the cosine %.6f with what ONNX Runtime computes (expected %s)",
                i,
                precision,
                cosine,
                least));
      }
    }
    tape.reset();
  }

  /** Gives back what the peer holds. */
  @TearDown
  public void close() throws OrtException {
    if (peer != null) {
      peer.close();
      peer = null;
    }
  }

  /** All texts. */
  @Benchmark
  @OperationsPerInvocation(TEXTS)
  public float run() throws OrtException {
    if (peer != null) {
      return peer.firstStates(texts)[0][0];
    }
    float first = encoder.forward(tape, ids, sequences).value().get(0, 0);
    tape.reset();
    return first;
  }
}
