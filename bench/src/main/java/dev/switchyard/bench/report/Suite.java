package dev.switchyard.bench.report;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A benchmark that contestants take part in, over some shapes. */
public enum Suite {
  /** {@code MatmulBenchmark}. */
  MULTIPLY(
      "kernels.MatmulBenchmark",
      "Products",
      "Y = X Wᵀ + bias with the weight packed before: rows x out features x in features."),
  /** {@code QuantizeBenchmark}. */
  QUANTIZE("kernels.QuantizeBenchmark", "Quantizing", "A matrix to int8: rows x columns."),
  /** {@code StepBenchmark}. */
  STEP(
      "kernels.StepBenchmark",
      "Training step of a linear layer",
      "Forward and all gradients, from 32-bit floats to 32-bit floats: rows x in features x out"
          + " features."),
  /** {@code SweepBenchmark}. */
  SWEEP(
      "kernels.SweepBenchmark",
      "Where SwitchBack begins to pay",
      "The training step of a linear layer with as many features in as out: rows x features."),
  /** {@code BlockBenchmark}. */
  BLOCK(
      "kernels.BlockBenchmark",
      "Training step of a transformer block",
      "Forward and backward: sequences x tokens x features. PyTorch's bfloat16 is autocast."),
  /** {@code AttentionBenchmark}. */
  ATTENTION(
      "kernels.AttentionBenchmark",
      "Training step of self-attention",
      "Forward and backward with its linear layers: sequences x tokens x features."),
  /** {@code CodaBenchmark}. */
  CODA(
      "kernels.CodaBenchmark",
      "Conditional layers",
      "Forward pass of a block with a conditional adapter: sequences x tokens x features."),
  /** {@code EncoderBenchmark}. */
  ENCODER(
      "encoders.EncoderBenchmark",
      "Inference of an encoder",
      "Texts a second by all-MiniLM-L6-v2: tokens of a text."),
  /** {@code OptimizerBenchmark}. */
  OPTIMIZER(
      "kernels.OptimizerBenchmark",
      "Optimizers",
      "A step over one matrix of parameters: its shape.");

  private final String benchmark;
  private final String title;
  private final String about;

  Suite(String benchmark, String title, String about) {
    this.benchmark = benchmark;
    this.title = title;
    this.about = about;
  }

  /** The suite of a JMH benchmark, given as {@code package.Class.method}. */
  public static Optional<Suite> ofBenchmark(String name) {
    return Arrays.stream(values()).filter(suite -> suite.method().equals(name)).findFirst();
  }

  /** The name of its benchmark for JMH. */
  public String method() {
    return "dev.switchyard.bench." + benchmark + ".run";
  }

  /** The name on the command line and in file names. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The file that results are in. */
  public String fileName() {
    return key() + ".json";
  }

  /** A heading. */
  public String title() {
    return title;
  }

  /** What is measured, and how its shapes read. */
  public String about() {
    return about;
  }
}
