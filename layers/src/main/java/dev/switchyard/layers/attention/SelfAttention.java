package dev.switchyard.layers.attention;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.Arrays;
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
 * <p>Causal attention leaves out the keys that come after a query in its sequence. Queries may be
 * those of some tokens alone, and keys and values those of others, see {@link #separateQueries()}.
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

  private final int features;
  private final int heads;
  private final int headFeatures;
  private final boolean causal;
  private final float scale;
  private final Linear qkv; // null if they are separate
  private final Linear query;
  private final Linear keyValue;
  private final Linear out;

  /**
   * A layer in which each token attends to all of its sequence, with random weights as in {@link
   * Linear}.
   *
   * @param name prefix of the parameters' names
   * @param features columns of input and output
   * @param heads how many parts the features are split into
   * @param precision of the linear layers
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
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
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
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
    this.query = null;
    this.keyValue = null;
    this.out = out;
  }

  private SelfAttention(SelfAttention whole, Linear query, Linear keyValue) {
    this.features = whole.features;
    this.heads = whole.heads;
    this.headFeatures = whole.headFeatures;
    this.causal = whole.causal;
    this.scale = whole.scale;
    this.qkv = null;
    this.query = query;
    this.keyValue = keyValue;
    this.out = whole.out;
  }

  /**
   * The same attention with one linear layer for the queries and another for keys and values, so
   * that each can be computed of other tokens. They hold copies of the weights that were one, under
   * the names {@code ....query} and {@code ....keyValue}; the layer behind the heads is the same
   * object.
   *
   * @return the attention; this one, if its queries are separate already
   */
  public SelfAttention separateQueries() {
    return qkv == null
        ? this
        : new SelfAttention(
            this,
            qkv.rowRange("query", 0, features),
            qkv.rowRange("keyValue", features, 3 * features));
  }

  /**
   * Whether a token attends to those before it and to itself alone.
   *
   * @return true if so
   */
  public boolean isCausal() {
    return causal;
  }

  // x [tokens, features] -> qkv [tokens, 3 features] -> o [tokens, features] -> y [tokens,
  // features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    if (qkv == null) {
      return forward(tape, x, sequences, x, sequences, null);
    }
    sequences.requireRows(x.rows());
    Tensor projected = qkv.forward(tape, x);
    Tensor attended = attend(tape, projected, sequences, projected, features, sequences);
    tape.release(projected);
    return mixHeads(tape, attended);
  }

  /**
   * Lets some tokens attend to others, sequence by sequence. A token that finds nothing to attend
   * to gets the bias of the last linear layer.
   *
   * @param tape records and computes
   * @param x [queries, features]
   * @param ofX which rows of x form a sequence
   * @param context [keys, features], what keys and values are computed of
   * @param ofContext which rows of the context form a sequence; as many sequences
   * @param gates [keys, 1], what the values are multiplied by; null for 1
   * @return [queries, features]
   * @throws IllegalArgumentException if shapes or sequences do not go together, or if attention is
   *     causal and x is not the context
   * @throws IllegalStateException if the context is not x, or gated, and the queries are not
   *     separate, see {@link #separateQueries()}
   */
  public Tensor forward(
      Tape tape, Tensor x, Sequences ofX, Tensor context, Sequences ofContext, Tensor gates) {
    if (qkv != null && x == context && gates == null) {
      return forward(tape, x, ofX);
    }
    if (qkv != null) {
      throw new IllegalStateException(
          qkv.name()
              + " makes queries, keys and values of the same tokens (expected separateQueries())");
    }
    ofX.requireRows(x.rows());
    ofContext.requireRows(context.rows());
    if (ofX.count() != ofContext.count()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "queries are %s but keys are %s (expected as many)", ofX, ofContext));
    }
    if (causal && !ofX.equals(ofContext)) {
      throw new IllegalArgumentException(
          "causal attention of " + ofX + " to " + ofContext + " (expected the same tokens)");
    }
    Tensor q = query.forward(tape, x);
    Tensor ungated = keyValue.forward(tape, context);
    Tensor kv = gates == null ? ungated : RowGates.scale(tape, ungated, features, gates);
    Tensor attended = attend(tape, q, ofX, kv, 0, ofContext);
    tape.release(q);
    tape.release(kv);
    if (gates != null) {
      tape.release(ungated);
    }
    return mixHeads(tape, attended);
  }

  private Tensor mixHeads(Tape tape, Tensor attended) {
    Tensor y = out.forward(tape, attended);
    tape.release(attended);
    return y;
  }

  // q [queries, features and more], (k, v) [keys, 2 features] from a column of kv on
  // -> o [queries, features]; normalizers [heads, 2 queries]
  private Tensor attend(Tape tape, Tensor q, Sequences ofQ, Tensor kv, int column, Sequences ofKv) {
    FloatMatrix o = tape.result(q.rows(), features);
    FloatMatrix normalizers = tape.result(heads, 2 * q.rows());
    tape.timed(
        Part.ATTENTION,
        () ->
            eachHead(
                tape,
                ofQ,
                ofKv,
                head ->
                    head.forward(
                        q.value(), keysAndValues(kv.value(), column), normalizers.data(), o)));
    return tape.node(o)
        .from(q, kv)
        .keeps(q.value(), kv.value(), normalizers)
        .backward((go, kept) -> attendBackward(tape, q, ofQ, kv, column, ofKv, kept, go));
  }

  // go [queries, features] -> gq, (gk, gv), in one matrix if q and kv are
  private void attendBackward(
      Tape tape,
      Tensor q,
      Sequences ofQ,
      Tensor kv,
      int column,
      Sequences ofKv,
      Node.Kept kept,
      FloatMatrix go) {
    boolean one = q == kv;
    FloatMatrix gq = tape.take(q.rows(), q.cols());
    FloatMatrix gkv = one ? gq : tape.take(kv.rows(), kv.cols());
    tape.timed(
        Part.ATTENTION,
        () ->
            eachHead(
                tape,
                ofQ,
                ofKv,
                head ->
                    head.backward(
                        kept.floats(0),
                        keysAndValues(kept.floats(1), column),
                        kept.floats(2).data(),
                        go,
                        gq,
                        keysAndValues(gkv, column))));
    tape.addGrad(q, gq);
    if (!one) {
      tape.addGrad(kv, gkv);
    }
  }

  private FloatMatrix keysAndValues(FloatMatrix kv, int column) {
    return kv.columnRange(column, column + 2 * features);
  }

  @Override
  public List<? extends Model> parts() {
    return qkv == null ? List.of(query, keyValue, out) : List.of(qkv, out);
  }

  private interface HeadWork {
    void run(Head head);
  }

  /** Heads of sequences write to disjoint parts of the results: their order does not matter. */
  private void eachHead(Tape tape, Sequences ofQ, Sequences ofKv, HeadWork work) {
    tape.kernels()
        .parallel()
        .forEach(ofQ.count() * heads, task -> work.run(new Head(tape, ofQ, ofKv, task)));
  }

  /** One head of one sequence, on one thread. */
  private final class Head {
    private final Tape tape;
    private final Kernels kernels;
    private final int column;
    private final int start;
    private final int queries;
    private final int keyStart;
    private final int keys;
    private final int normalizersStart;
    private final int mostQueries;
    private final int mostKeys;

    Head(Tape tape, Sequences ofQ, Sequences ofKv, int task) {
      int sequence = task / heads;
      int head = task % heads;
      this.tape = tape;
      this.kernels = tape.kernels().serial();
      this.column = head * headFeatures;
      this.start = ofQ.start(sequence);
      this.queries = ofQ.length(sequence);
      this.keyStart = ofKv.start(sequence);
      this.keys = ofKv.length(sequence);
      this.normalizersStart = 2 * (head * ofQ.tokens() + start);
      this.mostQueries = Math.min(ofQ.maxLength(), QUERIES_A_BLOCK);
      this.mostKeys = ofKv.maxLength();
    }

    // q [queries, features], kv [keys, 2 features] -> o [queries, features], normalizers
    void forward(FloatMatrix q, FloatMatrix kv, float[] normalizers, FloatMatrix o) {
      if (keys == 0) {
        clear(rows(o, 0, queries));
        return;
      }
      FloatMatrix scratch = scratch();
      for (int from = 0; from < queries; from += QUERIES_A_BLOCK) {
        FloatMatrix p = scores(scratch, from);
        multiply(Form.NT, block(q, from), keys(kv, from), Epilogue.STORE, p);
        kernels
            .elementwise()
            .softmax(p, ofFirst(from), scale, normalizers, normalizersStart + 2 * from);
        multiply(Form.NN, p, values(kv, from), Epilogue.STORE, block(o, from));
      }
      tape.giveBack(scratch);
    }

    // go [queries, features] -> gq [queries, features], gkv [keys, 2 features]
    void backward(
        FloatMatrix q,
        FloatMatrix kv,
        float[] normalizers,
        FloatMatrix go,
        FloatMatrix gq,
        FloatMatrix gkv) {
      if (queries == 0 || keys == 0) {
        clear(rows(gq, 0, queries));
        clear(part(gkv, 0, keys));
        clear(part(gkv, features, keys));
        return;
      }
      FloatMatrix scratchP = scratch();
      FloatMatrix scratchS = scratch();
      int last = Math.ceilDiv(queries, QUERIES_A_BLOCK) * QUERIES_A_BLOCK - QUERIES_A_BLOCK;
      for (int from = last; from >= 0; from -= QUERIES_A_BLOCK) {
        FloatMatrix gOut = block(go, from);
        FloatMatrix p = scores(scratchP, from);
        FloatMatrix gs = scores(scratchS, from);
        // The last queries see all keys and values; the others add to their gradients.
        Epilogue sum = from == last ? Epilogue.STORE : Epilogue.ACCUMULATE;
        multiply(Form.NT, block(q, from), keys(kv, from), Epilogue.STORE, p);
        kernels
            .elementwise()
            .softmaxFromNormalizers(
                p, ofFirst(from), scale, normalizers, normalizersStart + 2 * from);
        multiply(Form.TN, p, gOut, sum, values(gkv, from));
        multiply(Form.NT, gOut, values(kv, from), Epilogue.STORE, gs);
        kernels.elementwise().softmaxBackward(p, gs, scale, gs);
        multiply(Form.NN, gs, keys(kv, from), Epilogue.STORE, block(gq, from));
        multiply(Form.TN, gs, block(q, from), sum, keys(gkv, from));
      }
      tape.giveBack(scratchP);
      tape.giveBack(scratchS);
    }

    private void multiply(
        Form form, FloatMatrix a, FloatMatrix b, Epilogue epilogue, FloatMatrix c) {
      kernels.multiply(ElementType.FLOAT32, form, a, b, epilogue, c);
    }

    private static void clear(FloatMatrix x) {
      for (int i = 0; i < x.rows(); i++) {
        Arrays.fill(x.data(), x.rowIndex(i), x.rowIndex(i) + x.cols(), 0);
      }
    }

    /** This head's columns of some of the sequence's queries, or of their outputs. */
    private FloatMatrix rows(FloatMatrix q, int from, int to) {
      return q.rowRange(start + from, start + to).columnRange(column, column + headFeatures);
    }

    /** A block of them. */
    private FloatMatrix block(FloatMatrix q, int from) {
      return rows(q, from, Math.min(queries, from + QUERIES_A_BLOCK));
    }

    /** The rows of K that a block of queries may attend to. */
    private FloatMatrix keys(FloatMatrix kv, int from) {
      return part(kv, 0, seen(from));
    }

    /** The rows of V that a block of queries may attend to. */
    private FloatMatrix values(FloatMatrix kv, int from) {
      return part(kv, features, seen(from));
    }

    private FloatMatrix part(FloatMatrix kv, int of, int rows) {
      return kv.rowRange(keyStart, keyStart + rows)
          .columnRange(of + column, of + column + headFeatures);
    }

    /** How many of them the block's first query sees; each further one sees one more. */
    private int ofFirst(int from) {
      return causal ? from + 1 : keys;
    }

    private int seen(int from) {
      return causal ? Math.min(keys, from + QUERIES_A_BLOCK) : keys;
    }

    /** Of one size for all sequences, so that each thread needs one buffer. */
    private FloatMatrix scratch() {
      return tape.take(mostQueries, mostKeys);
    }

    private FloatMatrix scores(FloatMatrix scratch, int from) {
      return FloatMatrix.of(scratch.data(), Math.min(queries - from, QUERIES_A_BLOCK), seen(from));
    }
  }
}
