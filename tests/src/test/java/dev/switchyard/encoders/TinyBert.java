package dev.switchyard.encoders;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.math3.special.Erf;

/**
 * A BERT with random weights by their Hugging Face names, the files it is kept in, and what it
 * computes: written down from the equations in double precision, each token by itself.
 */
final class TinyBert {
  final BertShape shape;

  /** By name, linear weights [out, in]. */
  final Map<String, FloatMatrix> weights = new LinkedHashMap<>();

  TinyBert(BertShape shape) {
    this.shape = shape;
    int n = shape.features();
    add("embeddings.word_embeddings.weight", shape.vocabulary(), n);
    add("embeddings.position_embeddings.weight", shape.positions(), n);
    add("embeddings.token_type_embeddings.weight", shape.tokenTypes(), n);
    norm("embeddings.LayerNorm");
    for (int i = 0; i < shape.depth(); i++) {
      String layer = "encoder.layer." + i + ".";
      linear(layer + "attention.self.query", n, n);
      linear(layer + "attention.self.key", n, n);
      linear(layer + "attention.self.value", n, n);
      linear(layer + "attention.output.dense", n, n);
      norm(layer + "attention.output.LayerNorm");
      linear(layer + "intermediate.dense", n, shape.hidden());
      linear(layer + "output.dense", shape.hidden(), n);
      norm(layer + "output.LayerNorm");
    }
  }

  private void linear(String name, int in, int out) {
    add(name + ".weight", out, in);
    add(name + ".bias", 1, out);
  }

  private void norm(String name) {
    add(name + ".weight", 1, shape.features());
    add(name + ".bias", 1, shape.features());
  }

  private void add(String name, int rows, int cols) {
    FloatMatrix value = FloatMatrix.allocate(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      value.data()[i] = 0.5f * CounterRandom.gaussian(weights.size(), i);
    }
    weights.put(name, value);
  }

  static boolean isVector(String name) {
    return name.endsWith(".bias") || name.contains("LayerNorm");
  }

  SafetensorsWriter safetensors(String prefix) {
    SafetensorsWriter writer = new SafetensorsWriter();
    weights.forEach(
        (name, value) -> {
          if (isVector(name)) {
            writer.floats(prefix + name, value.data(), value.cols());
          } else {
            writer.matrix(prefix + name, value);
          }
        });
    return writer;
  }

  Path writeSafetensors(Path folder) throws IOException {
    Path file = folder.resolve("model.safetensors");
    safetensors("bert.").write(file);
    return file;
  }

  // What it computes.

  double[][] forward(int[] ids, int[] types, Sequences sequences) {
    double[][] x = new double[ids.length][shape.features()];
    for (int s = 0; s < sequences.count(); s++) {
      for (int t = 0; t < sequences.length(s); t++) {
        int row = sequences.start(s) + t;
        for (int j = 0; j < shape.features(); j++) {
          x[row][j] =
              (double) weights.get("embeddings.word_embeddings.weight").get(ids[row], j)
                  + weights.get("embeddings.position_embeddings.weight").get(t, j)
                  + weights.get("embeddings.token_type_embeddings.weight").get(types[row], j);
        }
      }
    }
    x = norm("embeddings.LayerNorm", x);
    for (int i = 0; i < shape.depth(); i++) {
      String layer = "encoder.layer." + i + ".";
      double[][] attended = linear(layer + "attention.output.dense", attend(layer, x, sequences));
      x = norm(layer + "attention.output.LayerNorm", sum(x, attended));
      double[][] hidden = linear(layer + "intermediate.dense", x);
      for (double[] row : hidden) {
        for (int j = 0; j < row.length; j++) {
          row[j] *= 0.5 * (1 + Erf.erf(row[j] / Math.sqrt(2)));
        }
      }
      x = norm(layer + "output.LayerNorm", sum(x, linear(layer + "output.dense", hidden)));
    }
    return x;
  }

  private double[][] attend(String layer, double[][] x, Sequences sequences) {
    double[][] q = linear(layer + "attention.self.query", x);
    double[][] k = linear(layer + "attention.self.key", x);
    double[][] v = linear(layer + "attention.self.value", x);
    int d = shape.features() / shape.heads();
    double[][] out = new double[x.length][shape.features()];
    for (int s = 0; s < sequences.count(); s++) {
      int start = sequences.start(s);
      int end = start + sequences.length(s);
      for (int i = start; i < end; i++) {
        for (int head = 0; head < shape.heads(); head++) {
          double[] p = new double[end];
          double total = 0;
          for (int t = start; t < end; t++) {
            double score = 0;
            for (int j = head * d; j < (head + 1) * d; j++) {
              score += q[i][j] * k[t][j];
            }
            p[t] = Math.exp(score / Math.sqrt(d));
            total += p[t];
          }
          for (int t = start; t < end; t++) {
            for (int j = head * d; j < (head + 1) * d; j++) {
              out[i][j] += p[t] / total * v[t][j];
            }
          }
        }
      }
    }
    return out;
  }

  private double[][] linear(String name, double[][] x) {
    FloatMatrix w = weights.get(name + ".weight");
    double[][] y = new double[x.length][w.rows()];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < w.rows(); j++) {
        y[i][j] = weights.get(name + ".bias").get(0, j);
        for (int m = 0; m < w.cols(); m++) {
          y[i][j] += x[i][m] * w.get(j, m);
        }
      }
    }
    return y;
  }

  private double[][] norm(String name, double[][] x) {
    double[][] y = new double[x.length][shape.features()];
    for (int i = 0; i < x.length; i++) {
      double mean = 0;
      for (double value : x[i]) {
        mean += value / x[i].length;
      }
      double variance = 0;
      for (double value : x[i]) {
        variance += (value - mean) * (value - mean) / x[i].length;
      }
      for (int j = 0; j < x[i].length; j++) {
        y[i][j] =
            (x[i][j] - mean)
                    / Math.sqrt(variance + shape.eps())
                    * weights.get(name + ".weight").get(0, j)
                + weights.get(name + ".bias").get(0, j);
      }
    }
    return y;
  }

  private static double[][] sum(double[][] a, double[][] b) {
    double[][] sum = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      sum[i] = a[i].clone();
      for (int j = 0; j < sum[i].length; j++) {
        sum[i][j] += b[i][j];
      }
    }
    return sum;
  }
}
