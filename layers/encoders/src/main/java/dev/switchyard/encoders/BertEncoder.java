package dev.switchyard.encoders;

import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.io.Safetensors;
import dev.switchyard.layers.norm.LayerNorm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A BERT encoder (Devlin et al. 2019), pretrained elsewhere:
 *
 * <pre>
 *   x_0 = norm(words[id] + positions[place in its text] + types[type])
 *   x_i = block_i(x_{i-1})      i = 1 .. depth
 * </pre>
 *
 * with blocks as in {@link PostNormBlock}. It runs and trains in any {@link Precision}; texts lie
 * one after the other and need no padding. Queries, keys and values of a block are one linear
 * layer, {@code ....qkv.weight}; all other parameters keep the names that they have in the Hugging
 * Face library. For use by one thread at a time.
 */
public final class BertEncoder implements TokenEncoder {
  private final BertShape shape;
  private final TokenEmbedding words;
  private final TokenEmbedding positions;
  private final TokenEmbedding types;
  private final LayerNorm norm;
  private final List<PostNormBlock> blocks;
  private final Transformer transformer;

  BertEncoder(
      BertShape shape,
      TokenEmbedding words,
      TokenEmbedding positions,
      TokenEmbedding types,
      LayerNorm norm,
      List<PostNormBlock> blocks) {
    this.shape = shape;
    this.words = words;
    this.positions = positions;
    this.types = types;
    this.norm = norm;
    this.blocks = List.copyOf(blocks);
    transformer = new Transformer(blocks);
  }

  /**
   * Reads a model as sentence-transformers and Hugging Face publish it: an {@code .onnx} file, or a
   * {@code .safetensors} file with its {@code config.json} beside it.
   *
   * @param file the model
   * @param precision of all linear layers
   * @return the encoder
   * @throws IllegalArgumentException if the name of the file ends otherwise
   * @throws IOException as {@link #readOnnx} or {@link #readSafetensors} does
   */
  public static BertEncoder read(Path file, Precision precision) throws IOException {
    String name = file.toString();
    if (name.endsWith(".onnx")) {
      return readOnnx(file, precision);
    }
    if (name.endsWith(".safetensors")) {
      BertShape shape = BertShape.read(file.resolveSibling("config.json"));
      return readSafetensors(file, shape, precision);
    }
    throw new IllegalArgumentException(
        "model " + name + " is of no known kind (expected .onnx or .safetensors)");
  }

  /**
   * Reads the weights of a safetensors file. A pooler and heads for other tasks are left out.
   *
   * @param file weights in F32, F16 or BF16 with the names of Hugging Face's BERT
   * @param shape what its {@code config.json} says
   * @param precision of all linear layers
   * @return the encoder
   * @throws ModelFileException if the tensors are not those of a BERT of that shape
   * @throws IOException if the file cannot be read, or is not of its format
   */
  public static BertEncoder readSafetensors(Path file, BertShape shape, Precision precision)
      throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      return new BertReader(new SafetensorsModel(file.toString(), in), shape, precision).read();
    }
  }

  /**
   * Reads an ONNX model, as sentence-transformers and Hugging Face export them from PyTorch: the
   * weights and all numbers of the shape. Only what {@code last_hidden_state} depends on is read.
   *
   * @param file a model of 32-bit floats, in one file
   * @param precision of all linear layers
   * @return the encoder
   * @throws ModelFileException if it is damaged, or not a BERT with the exact GELU and learned
   *     absolute positions
   * @throws IOException if it cannot be read
   */
  public static BertEncoder readOnnx(Path file, Precision precision) throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = OnnxFile.load(file.toString(), channel, arena);
      OnnxModel model = new OnnxModel(file.toString(), data);
      return new BertReader(model, model.shape(), precision).read();
    }
  }

  // ids [tokens] -> [tokens, features]
  @Override
  public Tensor forward(Tape tape, int[] ids, Sequences sequences) {
    return forward(tape, ids, new int[ids.length], sequences);
  }

  /**
   * Computes the hidden states of texts.
   *
   * @param tape records and computes
   * @param ids of all tokens, one text after the other
   * @param tokenTypes 0 for tokens of a first text, 1 for those of a second in the same sequence
   * @param sequences which tokens see each other
   * @return [tokens, features], what Hugging Face calls the last hidden state
   * @throws IllegalArgumentException if the lengths do not go together, a sequence is longer than
   *     there are positions, or an id or type has no embedding
   */
  public Tensor forward(Tape tape, int[] ids, int[] tokenTypes, Sequences sequences) {
    return transformer.forward(tape, embed(tape, ids, tokenTypes, sequences), sequences);
  }

  /** What the first block is given. */
  Tensor embed(Tape tape, int[] ids, int[] tokenTypes, Sequences sequences) {
    sequences.requireRows(ids.length);
    if (tokenTypes.length != ids.length) {
      throw new IllegalArgumentException(
          ids.length + " tokens have " + tokenTypes.length + " types (expected one each)");
    }
    Tensor x =
        TokenEmbedding.sum(
            tape, List.of(words, types, positions), List.of(ids, tokenTypes, places(sequences)));
    Tensor y = norm.forward(tape, x);
    tape.release(x);
    return y;
  }

  /** The place of each token in its sequence. */
  private int[] places(Sequences sequences) {
    int[] places = new int[sequences.tokens()];
    for (int s = 0; s < sequences.count(); s++) {
      if (sequences.length(s) > shape.positions()) {
        throw new IllegalArgumentException(
            "sequence "
                + s
                + " has "
                + sequences.length(s)
                + " tokens (expected at most "
                + shape.positions()
                + ", the positions of the model)");
      }
      for (int t = 0; t < sequences.length(s); t++) {
        places[sequences.start(s) + t] = t;
      }
    }
    return places;
  }

  @Override
  public List<? extends Model> parts() {
    List<Model> parts = new ArrayList<>(embeddings());
    parts.add(transformer);
    return parts;
  }

  /** What comes before the first block. */
  List<Model> embeddings() {
    return List.of(words, positions, types, norm);
  }

  List<PostNormBlock> blocks() {
    return blocks;
  }

  @Override
  public BertShape shape() {
    return shape;
  }
}
