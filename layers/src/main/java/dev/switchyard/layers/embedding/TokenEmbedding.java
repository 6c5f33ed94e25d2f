package dev.switchyard.layers.embedding;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Initial;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;
import java.util.Locale;

/**
 * Looks up a vector for each token:
 *
 * <pre>
 *   y_t = E_id(t)      dE_v = sum of dy_t over the tokens with id v, in their order
 * </pre>
 *
 * To tie it to the scores of a language model, give {@link #table()} to a {@link
 * dev.switchyard.layers.Linear} too.
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
    return sum(tape, List.of(this), List.of(ids));
  }

  // ids [tables][tokens] -> y [tokens, features]
  /**
   * Looks up a vector of each table for each token, and gives their sum, added in the order of the
   * tables:
   *
   * <pre>
   *   y_t = E1_id1(t) + E2_id2(t) + ...
   * </pre>
   *
   * @param tape records and computes
   * @param tables of the same number of features
   * @param ids of the tokens, for each table; copied
   * @return [tokens, features]
   * @throws IllegalArgumentException if there is no table, a table has no such id or other
   *     features, or the tables are not given as many ids each
   */
  public static Tensor sum(Tape tape, List<TokenEmbedding> tables, List<int[]> ids) {
    if (tables.isEmpty() || ids.size() != tables.size()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d tables and ids for %d (expected a table or more, and ids for each)",
              tables.size(),
              ids.size()));
    }
    int tokens = ids.getFirst().length;
    int features = tables.getFirst().table.cols();
    for (int i = 0; i < tables.size(); i++) {
      tables.get(i).require(ids.get(i), tokens, features);
    }
    FloatMatrix y = tape.result(tokens, features);
    Parallel parallel = tape.kernels().parallel();
    int tasks = Math.min(parallel.threads(), tokens);
    parallel.forEach(
        tasks,
        task -> {
          int end = (int) ((task + 1L) * tokens / tasks);
          for (int t = (int) ((long) task * tokens / tasks); t < end; t++) {
            for (int i = 0; i < tables.size(); i++) {
              FloatMatrix e = tables.get(i).table.value();
              int in = e.rowIndex(ids.get(i)[t]);
              int out = y.rowIndex(t);
              if (i == 0) {
                System.arraycopy(e.data(), in, y.data(), out, features);
              } else {
                add(e.data(), in, y.data(), out, features);
              }
            }
          }
        });
    List<TokenEmbedding> used = List.copyOf(tables);
    List<int[]> kept = // the caller may fill in the next batch's before going back
        tape.isRecording() ? ids.stream().map(int[]::clone).toList() : List.of();
    return tape.node(y)
        .uses(used.stream().map(TokenEmbedding::table).toList())
        .backward(
            (gy, none) -> {
              for (int i = 0; i < used.size(); i++) {
                if (!used.get(i).table.frozen()) {
                  used.get(i).backward(parallel, kept.get(i), gy);
                }
              }
            });
  }

  private void require(int[] ids, int tokens, int features) {
    if (ids.length != tokens || table.cols() != features) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s for %d tokens (expected %d features for %d tokens, as the first)",
              table,
              ids.length,
              features,
              tokens));
    }
    for (int t = 0; t < tokens; t++) {
      if (ids[t] < 0 || ids[t] >= table.rows()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "id %d is %d (expected 0 to %d)", t, ids[t], table.rows() - 1));
      }
    }
  }

  private static void add(float[] x, int xOffset, float[] sum, int sumOffset, int count) {
    for (int j = 0; j < count; j++) {
      sum[sumOffset + j] += x[xOffset + j];
    }
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
            add(
                gy.data(),
                gy.rowIndex(t) + from,
                sums.data(),
                sums.rowIndex(ids[t]) + from,
                to - from);
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
