package dev.switchyard.layers;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import java.util.List;
import java.util.Locale;

/**
 * Looks up a vector for each token:
 *
 * <pre>
 *   y_t = E_id(t)      dE_v = sum of dy_t over the tokens with id v, in their order
 * </pre>
 *
 * To tie it to the scores of a language model, give {@link #table()} to a {@link Linear} too.
 */
public final class TokenEmbedding implements Model {
  private static final float DEVIATION = 0.02f; // Radford et al. 2019

  /** A cache line of floats: threads that add to neighbouring columns must not share one. */
  private static final int LINE = 16;

  private final Parameter table;

  /**
   * An embedding whose vectors are normal with standard deviation 0.02.
   *
   * @param name prefix of the parameter's name
   * @param vocabulary how many ids there are
   * @param features columns of the output
   * @param random where the vectors come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   */
  public TokenEmbedding(String name, int vocabulary, int features, CounterRandom random) {
    this(
        new Parameter(
            name + ".table", Initial.normal(vocabulary, features, DEVIATION, random), true));
  }

  /**
   * An embedding with given vectors.
   *
   * @param table [vocabulary, features]
   */
  public TokenEmbedding(Parameter table) {
    this.table = table;
    table.pin();
  }

  // ids [tokens] -> y [tokens, features]
  /**
   * Looks up vectors and records on the tape how to go back.
   *
   * @param tape records and computes
   * @param ids of the tokens, copied
   * @return [tokens, features]
   * @throws IllegalArgumentException if there is no such id
   */
  public Tensor forward(Tape tape, int... ids) {
    FloatMatrix e = table.value();
    for (int t = 0; t < ids.length; t++) {
      if (ids[t] < 0 || ids[t] >= e.rows()) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "id %d is %d (expected 0 to %d)", t, ids[t], e.rows() - 1));
      }
    }
    FloatMatrix y = tape.result(ids.length, e.cols());
    Parallel parallel = tape.kernels().parallel();
    int tasks = Math.min(parallel.threads(), ids.length);
    parallel.forEach(
        tasks,
        task -> {
          int end = (int) ((task + 1L) * ids.length / tasks);
          for (int t = (int) ((long) task * ids.length / tasks); t < end; t++) {
            System.arraycopy(e.data(), e.rowIndex(ids[t]), y.data(), y.rowIndex(t), e.cols());
          }
        });
    int[] kept = ids.clone(); // the caller may fill in the next batch's before going back
    return tape.node(y).uses(table).backward((gy, none) -> backward(parallel, kept, gy));
  }

  // gy [tokens, features] -> gtable [vocabulary, features]
  private void backward(Parallel parallel, int[] ids, FloatMatrix gy) {
    FloatMatrix sums = table.grad();
    int lines = Math.ceilDiv(gy.cols(), LINE);
    int tasks = Math.min(parallel.threads(), lines);
    // By columns, since tokens with one id add to one row.
    parallel.forEach(
        tasks,
        task -> {
          int from = lines * task / tasks * LINE;
          int to = Math.min(gy.cols(), lines * (task + 1) / tasks * LINE);
          for (int t = 0; t < ids.length; t++) {
            int in = gy.rowIndex(t);
            int out = sums.rowIndex(ids[t]);
            for (int j = from; j < to; j++) {
              sums.data()[out + j] += gy.data()[in + j];
            }
          }
        });
  }

  /**
   * The vectors.
   *
   * @return [vocabulary, features]
   */
  public Parameter table() {
    return table;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(table);
  }
}
