package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.norm.LayerNorm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Makes the layers of a BERT from the tensors of a file. Nothing is allocated for a tensor before
 * the file is known to have it in that shape.
 */
final class BertReader {
  private final ModelTensors tensors;
  private final BertShape shape;
  private final Precision precision;
  private final Set<String> used = new HashSet<>();

  BertReader(ModelTensors tensors, BertShape shape, Precision precision) {
    this.tensors = tensors;
    this.shape = shape;
    this.precision = precision;
  }

  BertEncoder read() throws IOException {
    int n = shape.features();
    TokenEmbedding words = embedding("word", shape.vocabulary());
    TokenEmbedding positions = embedding("position", shape.positions());
    TokenEmbedding types = embedding("token_type", shape.tokenTypes());
    LayerNorm norm = norm("embeddings.LayerNorm");
    List<PostNormBlock> blocks = new ArrayList<>();
    for (int i = 0; i < shape.depth(); i++) {
      blocks.add(block("encoder.layer." + i + "."));
    }
    Set<String> others = new TreeSet<>(tensors.names());
    others.removeAll(used);
    if (!others.isEmpty()) {
      throw new ModelFileException(
          tensors.file(),
          "tensor " + others.iterator().next(),
          "those of a BERT encoder with " + shape.depth() + " blocks of " + n + " features alone");
    }
    return new BertEncoder(shape, words, positions, types, norm, blocks);
  }

  private TokenEmbedding embedding(String of, int rows) throws IOException {
    return new TokenEmbedding(
        matrix("embeddings." + of + "_embeddings.weight", rows, shape.features()));
  }

  private PostNormBlock block(String prefix) throws IOException {
    int n = shape.features();
    return new PostNormBlock(
        new SelfAttention(
            shape.heads(),
            queriesKeysValues(prefix + "attention.self."),
            linear(prefix + "attention.output.dense", n, n)),
        norm(prefix + "attention.output.LayerNorm"),
        new FeedForward(
            linear(prefix + "intermediate.dense", n, shape.hidden()),
            linear(prefix + "output.dense", shape.hidden(), n)),
        norm(prefix + "output.LayerNorm"));
  }

  private Linear linear(String name, int in, int out) throws IOException {
    return Linear.of(matrix(name + ".weight", out, in))
        .bias(vector(name + ".bias", out))
        .precision(precision)
        .build();
  }

  /** Three linear layers of one input, as one; our own files have them so. */
  private Linear queriesKeysValues(String prefix) throws IOException {
    int n = shape.features();
    if (tensors.shape(prefix + "qkv.weight") != null) {
      return linear(prefix + "qkv", n, 3 * n);
    }
    List<String> parts = List.of("query", "key", "value");
    for (String part : parts) {
      check(prefix + part + ".weight", List.of((long) n, (long) n));
      checkVector(prefix + part + ".bias", n);
    }
    FloatMatrix weight = FloatMatrix.allocate(3 * n, n);
    FloatMatrix bias = FloatMatrix.allocate(1, 3 * n);
    for (int i = 0; i < parts.size(); i++) {
      tensors.read(prefix + parts.get(i) + ".weight", weight.rowRange(i * n, (i + 1) * n));
      tensors.read(prefix + parts.get(i) + ".bias", bias.columnRange(i * n, (i + 1) * n));
    }
    return Linear.of(new Parameter(prefix + "qkv.weight", weight, true))
        .bias(Parameter.vector(prefix + "qkv.bias", bias.data()))
        .precision(precision)
        .build();
  }

  private LayerNorm norm(String name) throws IOException {
    boolean old = tensors.shape(name + ".weight") == null && tensors.shape(name + ".gamma") != null;
    return new LayerNorm(
        vector(name + (old ? ".gamma" : ".weight"), shape.features()),
        vector(name + (old ? ".beta" : ".bias"), shape.features()),
        shape.eps());
  }

  private Parameter matrix(String name, int rows, int cols) throws IOException {
    check(name, List.of((long) rows, (long) cols));
    FloatMatrix value = FloatMatrix.allocate(rows, cols);
    tensors.read(name, value);
    return new Parameter(name, value, true);
  }

  private Parameter vector(String name, int length) throws IOException {
    checkVector(name, length);
    FloatMatrix value = FloatMatrix.allocate(1, length);
    tensors.read(name, value);
    return Parameter.vector(name, value.data());
  }

  /** A vector, which older files of ours have as a matrix of one row. */
  private void checkVector(String name, int length) throws ModelFileException {
    List<Long> row = List.of(1L, (long) length);
    check(name, row.equals(tensors.shape(name)) ? row : List.of((long) length));
  }

  private void check(String name, List<Long> expected) throws ModelFileException {
    List<Long> found = tensors.shape(name);
    if (found == null) {
      throw new ModelFileException(
          tensors.file(), "no tensor " + name, "one of " + text(expected) + " floats");
    }
    if (!found.equals(expected)) {
      throw new ModelFileException(
          tensors.file(), "tensor " + name + " of " + text(found), text(expected));
    }
    used.add(name);
  }

  /** A shape as people write it. */
  static String text(List<Long> shape) {
    return shape.isEmpty()
        ? "a single number"
        : shape.stream().map(String::valueOf).collect(Collectors.joining("x"));
  }
}
