package dev.switchyard.readme;

import dev.switchyard.encoders.TinyModel;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.io.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What snippets take to be the reader's own: data, a loss, an optimizer, and files. */
public final class ReadersCode {
  /** A batch of 16 rows, or what a layer below has made of one. */
  public static final FloatMatrix input = FloatMatrix.allocate(16, 64);

  /** The same as an array. */
  public static float[] activations;

  /** Those of a linear layer. */
  public static float[] weight;

  public static float[] bias;

  /** Images of 16 x 16 pixels with bars that are upright (class 1) or not. */
  public static final FloatMatrix images = FloatMatrix.allocate(32, 256);

  public static int[] labels;

  /** Texts and their classes. */
  public static final List<String> texts =
      List.of("free money!", "the meeting", "a free offer!", "lunch", "the code", "offers!");

  public static int[] classes;

  /** A transformer of 128 features and one block. */
  public static Path weights;

  /** A pretrained encoder. */
  public static Path encoderFolder;

  private static double firstLoss;
  private static double lastLoss;

  private ReadersCode() {}

  /** The same for each snippet. */
  static void reset(Path folder) throws IOException {
    firstLoss = Double.NaN;
    lastLoss = Double.NaN;
    fill(input.data(), 1, 7);
    activations = input.data();
    weight = new float[32 * 64];
    fill(weight, 0.1f, 8);
    bias = new float[32];
    classes = new int[] {1, 0, 1, 0, 0, 1};
    labels = new int[32];
    fill(images.data(), 0.3f, 9);
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i % 2;
      for (int pixel = 0; pixel < images.cols(); pixel++) {
        int place = labels[i] == 1 ? pixel % 16 : pixel / 16;
        images.data()[images.rowIndex(i) + pixel] += (place + i) / 4 % 2;
      }
    }
    Transformer trained =
        new Transformer(
            "blocks", 1, BlockOptions.of(128, 4, Precision.FLOAT32), new CounterRandom(10));
    weights = folder.resolve("model.safetensors");
    Weights.write(trained.parameters(), weights);
    encoderFolder = TinyModel.write(folder.resolve("encoder")).getParent();
  }

  /** The rows of a batch that are those of one of several processes. */
  public static FloatMatrix mine(FloatMatrix batch, int rank, int size) {
    int rows = batch.rows() / size;
    return new FloatMatrix(
        batch.data(), batch.rowIndex(rank * rows), rows, batch.cols(), batch.rowStride());
  }

  private static void fill(float[] values, float deviation, long seed) {
    long key = new CounterRandom(seed).key(0);
    for (int i = 0; i < values.length; i++) {
      values[i] = deviation * CounterRandom.gaussian(key, i);
    }
  }

  /** The gradient of the mean squared distance to a target. */
  public static FloatMatrix lossGradient(FloatMatrix y) {
    FloatMatrix gradient = FloatMatrix.allocate(y.rows(), y.cols());
    lastLoss = 0;
    for (int i = 0; i < y.rows(); i++) {
      for (int j = 0; j < y.cols(); j++) {
        float difference = y.get(i, j) - (i + j) % 3;
        lastLoss += difference * difference;
        gradient.set(i, j, 2 * difference / (y.rows() * y.cols()));
      }
    }
    firstLoss = Double.isNaN(firstLoss) ? lastLoss : firstLoss;
    return gradient;
  }

  /** A step of gradient descent. */
  public static void descend(float[] values, float[] gradient) {
    for (int i = 0; i < values.length; i++) {
      values[i] -= 2 * gradient[i];
    }
  }

  /** An activation of the reader's own. */
  public static float[] relu(float[] x) {
    float[] y = x.clone();
    for (int i = 0; i < y.length; i++) {
      y[i] = Math.max(0, y[i]);
    }
    return y;
  }

  /** Its gradient. */
  public static FloatMatrix reluGradient(FloatMatrix x, FloatMatrix gradient) {
    FloatMatrix gx = gradient.copy();
    for (int i = 0; i < gx.rows(); i++) {
      for (int j = 0; j < gx.cols(); j++) {
        gx.set(i, j, x.get(i, j) > 0 ? gx.get(i, j) : 0);
      }
    }
    return gx;
  }

  /** The last loss over the first; NaN if none was asked for. */
  static double lossRatio() {
    return lastLoss / firstLoss;
  }
}
