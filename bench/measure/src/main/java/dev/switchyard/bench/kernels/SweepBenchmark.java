package dev.switchyard.bench.kernels;

import dev.switchyard.bench.peers.LinearOperands;
import dev.switchyard.bench.peers.LinearStep;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Profile.Part;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Where SwitchBack begins to pay: the training step of a linear layer with as many features in as
 * out, over few rows and many, narrow and wide, with the time of its parts; as the figure on speed
 * in Wortsman et al. 2023 has it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
@State(Scope.Thread)
public class SweepBenchmark {
  /** Results are checked at no more rows: further ones are more of the same blocks. */
  private static final int CHECKED_ROWS = 512;

  /** rows x features. */
  @Param({
    "64x256",
    "256x256",
    "1024x256",
    "4096x256",
    "16384x256",
    "32768x256",
    "64x512",
    "256x512",
    "1024x512",
    "4096x512",
    "16384x512",
    "32768x512",
    "64x1024",
    "256x1024",
    "1024x1024",
    "4096x1024",
    "16384x1024",
    "32768x1024",
    "64x2048",
    "256x2048",
    "1024x2048",
    "4096x2048",
    "16384x2048",
    "32768x2048",
    "64x4096",
    "256x4096",
    "1024x4096",
    "4096x4096",
    "16384x4096",
    "32768x4096"
  })
  public String shape;

  /** A precision, of Switchyard or of a peer. */
  @Param({"SWITCHBACK", "BFLOAT16", "FLOAT32", "onednn BFLOAT16", "onednn FLOAT32"})
  public String contestant;

  /** Of each. */
  @Param("1")
  public int threads;

  private LinearStep step;
  private Profile profile;

  /** Filled in by JMH. */
  public SweepBenchmark() {}

  /** What the steps of an iteration took, part by part, in nanoseconds. */
  @AuxCounters(AuxCounters.Type.EVENTS)
  @State(Scope.Thread)
  public static class Parts {
    /** Steps that were made. */
    public long steps;

    /** For quantizing, or rounding to bfloat16 where that is a pass of its own. */
    public long quantize;

    /** For output and input gradient. */
    public long multiply;

    /** For the weight gradient. */
    public long weightGradient;

    /** Filled in by JMH. */
    public Parts() {}

    private void add(Profile profile) {
      steps++;
      quantize += profile.nanos(Part.QUANTIZE);
      multiply += profile.nanos(Part.MULTIPLY);
      weightGradient += profile.nanos(Part.WEIGHT_GRADIENT);
    }
  }

  /** Makes operands, and checks the results of a smaller step. */
  @Setup
  public void prepare() {
    int[] sizes = Operands.sizes(shape);
    Kernels kernels = Kernels.create(Parallel.ofThreads(threads));
    LinearOperands few = operands(Math.min(sizes[0], CHECKED_ROWS), sizes[1]);
    StepContestant.named(contestant, kernels, few)
        .check(StepContestant.expected(kernels, few), few);
    StepContestant chosen = StepContestant.named(contestant, kernels, operands(sizes[0], sizes[1]));
    step = chosen.step();
    profile = chosen.profile();
  }

  private static LinearOperands operands(int rows, int features) {
    return StepContestant.operands(rows, features, features);
  }

  /** All of the step. */
  @Benchmark
  public LinearStep run(Parts parts) {
    profile.clear();
    step.run();
    parts.add(profile);
    return step;
  }
}
