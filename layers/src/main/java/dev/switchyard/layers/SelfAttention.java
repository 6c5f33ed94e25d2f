package dev.switchyard.layers;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Profile.Part;
import java.util.List;
import java.util.Locale;

/**
 * Multi-head self-attention (Vaswani et al. 2017, section 3.2) within each sequence of a ragged
 * batch. With Q, K, V [length, d] the columns of one head, for each sequence and head
 *
 * <pre>
 *   P = softmax(Q K^T / sqrt(d))      O = P V
 *   dV = P^T dO      dP = dO V^T      dS = P (dP - sum of P dP in the row) / sqrt(d)
 *   dQ = dS K        dK = dS^T Q
 * </pre>
 *
 * between a linear layer that makes Q, K and V of all heads from x and one that mixes the heads' O.
 * The linear layers have a {@link Precision}, attention itself is float32.
 *
 * <p>Causal attention leaves out the keys that come after a query in its sequence.
 *
 * <p>P is never kept: the forward pass saves the logarithm of each row's normalizer, from which the
 * backward pass recomputes P (Dao et al. 2022, section 3.1). Queries are taken in blocks, so that
 * scratch grows with the length of a sequence and not with its square.
 */
public final class SelfAttention implements SequenceLayer {
  /**
   * 256 rows of scores for a sequence of 256 are a quarter of a megabyte, which level 2 caches
   * hold.
   */
  private static final int QUERIES_A_BLOCK = 256;

  private static final int QUERY = 0;
  private static final int KEY = 1;
  private static final int VALUE = 2;

  private final int features;
  private final int heads;
  private final int headFeatures;
  private final boolean causal;
  private final float scale;
  private final Linear qkv;
  private final Linear out;

  /**
   * A layer in which each token attends to all of its sequence, with random weights as in {@link
   * Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads how many parts the features are split into
   * @param precision of the linear layers
   * @param random where the weights come from
   * @throws IllegalArgumentException if the heads do not divide the features
   */
  public SelfAttention(
      String name, int features, int heads, Precision precision, CounterRandom random) {
    this(name, features, heads, false, precision, random);
  }

  /**
   * A layer with random weights as in {@link Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads how many parts the features are split into
   * @param causal whether a token attends to those before it and to itself alone
   * @param precision of the linear layers
   * @param random where the weights come from
   * @throws IllegalArgumentException if the heads do not divide the features
   */
  public SelfAttention(
      String name,
      int features,
      int heads,
      boolean causal,
      Precision precision,
      CounterRandom random) {
    this(
        heads,
        causal,
        new Linear(name + ".qkv", features, 3 * features, precision, random.split(0)),
        new Linear(name + ".out", features, features, precision, random.split(1)));
  }

  /**
   * A layer of given linear layers, in which each token attends to all of its sequence.
   *
   * @param heads how many parts the features are split into
   * @param qkv from features to the queries, keys and values of all heads, in this order
   * @param out from the heads' features to features
   * @throws IllegalArgumentException if the weights' shapes do not go together, or the heads do not
   *     divide the features
   */
  public SelfAttention(int heads, Linear qkv, Linear out) {
    this(heads, false, qkv, out);
  }

  private SelfAttention(int heads, boolean causal, Linear qkv, Linear out) {
    Parameter weight = qkv.weight();
    this.features = weight.cols();
    if (weight.rows() != 3 * features || out.weight().cols() != features) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "queries, keys and values come from %s and go to %s (expected 3n x n and n columns)",
              weight,
              out.weight()));
    }
    if (heads < 1 || features % heads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has %d features and %d heads (expected 1 or more heads that divide the features)",
              qkv.name(),
              features,
              heads));
    }
    this.heads = heads;
    this.headFeatures = features / heads;
    this.causal = causal;
    this.scale = (float) (1 / Math.sqrt(headFeatures));
    this.qkv = qkv;
    this.out = out;
  }

  // x [tokens, features] -> qkv [tokens, 3 features] -> o [tokens, features] -> y [tokens,
  // features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    Tensor projected = qkv.forward(tape, x);
    Tensor attended = attend(tape, projected, sequences);
    tape.release(projected);
    Tensor y = out.forward(tape, attended);
    tape.release(attended);
    return y;
  }

  // x = (q, k, v) [tokens, 3 features] -> o [tokens, features]; lse [heads, tokens]
  private Tensor attend(Tape tape, Tensor x, Sequences sequences) {
    FloatMatrix o = tape.result(x.rows(), features);
    FloatMatrix lse = tape.result(heads, x.rows());
    tape.timed(
        Part.ATTENTION,
        () -> eachHead(tape, sequences, head -> head.forward(x.value(), lse.data(), o)));
    return tape.record(
        o,
        List.of(x),
        List.of(),
        List.of(x.value(), lse),
        go -> attendBackward(tape, x, sequences, lse.data(), go));
  }

  // go [tokens, features] -> gx = (gq, gk, gv) [tokens, 3 features]
  private void attendBackward(
      Tape tape, Tensor x, Sequences sequences, float[] lse, FloatMatrix go) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    tape.timed(
        Part.ATTENTION,
        () -> eachHead(tape, sequences, head -> head.backward(x.value(), lse, go, gx)));
    tape.addGrad(x, gx);
  }

  @Override
  public List<Parameter> parameters() {
    return Model.concat(qkv.parameters(), out.parameters());
  }

  @Override
  public List<Linear> linears() {
    return Model.concat(qkv.linears(), out.linears());
  }

  private interface HeadWork {
    void run(Head head);
  }

  /** Heads of sequences write to disjoint parts of the results: their order does not matter. */
  private void eachHead(Tape tape, Sequences sequences, HeadWork work) {
    tape.kernels()
        .parallel()
        .forEach(sequences.count() * heads, task -> work.run(new Head(tape, sequences, task)));
  }

  /** One head of one sequence, on one thread. */
  private final class Head {
    private final Tape tape;
    private final Kernels kernels;
    private final int head;
    private final int start;
    private final int length;
    private final int tokens;
    private final int longest;

    Head(Tape tape, Sequences sequences, int task) {
      this.tape = tape;
      this.kernels = tape.kernels().serial();
      this.head = task % heads;
      this.start = sequences.start(task / heads);
      this.length = sequences.length(task / heads);
      this.tokens = sequences.tokens();
      this.longest = sequences.maxLength();
    }

    // x [tokens, 3 features] -> o [tokens, features], lse
    void forward(FloatMatrix x, float[] lse, FloatMatrix o) {
      FloatMatrix scratch = scratch();
      for (int from = 0; from < length; from += QUERIES_A_BLOCK) {
        FloatMatrix p = rows(scratch, from);
        multiply(Form.NT, queries(x, from), seen(x, KEY, from), Epilogue.STORE, p);
        kernels.elementwise().softmax(p, ofFirst(from), scale, lse, head * tokens + start + from);
        multiply(Form.NN, p, seen(x, VALUE, from), Epilogue.STORE, queries(o, from));
      }
      tape.giveBack(scratch);
    }

    // go [tokens, features] -> gx [tokens, 3 features]
    void backward(FloatMatrix x, float[] lse, FloatMatrix go, FloatMatrix gx) {
      FloatMatrix scratchP = scratch();
      FloatMatrix scratchS = scratch();
      int last = Math.ceilDiv(length, QUERIES_A_BLOCK) * QUERIES_A_BLOCK - QUERIES_A_BLOCK;
      for (int from = last; from >= 0; from -= QUERIES_A_BLOCK) {
        FloatMatrix q = queries(x, from);
        FloatMatrix gOut = queries(go, from);
        FloatMatrix p = rows(scratchP, from);
        FloatMatrix gs = rows(scratchS, from);
        // The last queries see all keys and values; the others add to their gradients.
        Epilogue sum = from == last ? Epilogue.STORE : Epilogue.ACCUMULATE;
        multiply(Form.NT, q, seen(x, KEY, from), Epilogue.STORE, p);
        kernels
            .elementwise()
            .softmaxFromNormalizer(p, ofFirst(from), scale, lse, head * tokens + start + from);
        multiply(Form.TN, p, gOut, sum, seen(gx, VALUE, from));
        multiply(Form.NT, gOut, seen(x, VALUE, from), Epilogue.STORE, gs);
        kernels.elementwise().softmaxBackward(p, gs, scale, gs);
        multiply(Form.NN, gs, seen(x, KEY, from), Epilogue.STORE, queries(gx, from));
        multiply(Form.TN, gs, q, sum, seen(gx, KEY, from));
      }
      tape.giveBack(scratchP);
      tape.giveBack(scratchS);
    }

    private void multiply(
        Form form, FloatMatrix a, FloatMatrix b, Epilogue epilogue, FloatMatrix c) {
      kernels.multiply(ElementType.FLOAT32, form, a, b, epilogue, c);
    }

    /** This head's columns of Q, K or V, all rows of the sequence. */
    private FloatMatrix part(FloatMatrix x, int part) {
      int column = part * features + head * headFeatures;
      return x.rowRange(start, start + length).columnRange(column, column + headFeatures);
    }

    /** The rows of K or V that a block of queries may attend to. */
    private FloatMatrix seen(FloatMatrix x, int part, int from) {
      return part(x, part).rowRange(0, seen(from));
    }

    /** How many of them the block's first query sees; each further one sees one more. */
    private int ofFirst(int from) {
      return causal ? from + 1 : length;
    }

    private int seen(int from) {
      return causal ? Math.min(length, from + QUERIES_A_BLOCK) : length;
    }

    /** A block of rows of this head's queries, or of its output. */
    private FloatMatrix queries(FloatMatrix x, int from) {
      return part(x, QUERY).rowRange(from, Math.min(length, from + QUERIES_A_BLOCK));
    }

    /** Of one size for all sequences, so that each thread needs one buffer. */
    private FloatMatrix scratch() {
      return tape.take(Math.min(longest, QUERIES_A_BLOCK), longest);
    }

    private FloatMatrix rows(FloatMatrix scratch, int from) {
      return FloatMatrix.of(scratch.data(), Math.min(length - from, QUERIES_A_BLOCK), seen(from));
    }
  }
}
