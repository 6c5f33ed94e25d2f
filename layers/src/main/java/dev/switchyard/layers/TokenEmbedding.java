package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.List;
import java.util.Locale;

/**
 * A learned row of a table for each token:
 *
 * <pre>
 *   y_t = table[id_t]      dtable[i] = sum of dy_t over the tokens with id i, in their order
 * </pre>
 */
public final class TokenEmbedding {
  /** The gradient is added up by blocks of columns, each on one thread. */
  private static final int COLUMNS_A_TASK = 64;

  private final Parameter table;

  /**
   * An embedding by a given table.
   *
   * @param table [ids, features]
   */
  public TokenEmbedding(Parameter table) {
    this.table = table;
  }

  /**
   * Looks rows up.
   *
   * @param tape records and computes
   * @param ids of the tokens
   * @return [tokens, features]
   * @throws IllegalArgumentException if an id is not one of a row
   */
  public Tensor forward(Tape tape, int... ids) {
    FloatMatrix from = table.value();
    for (int t = 0; t < ids.length; t++) {
      if (ids[t] < 0 || ids[t] >= from.rows()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token %d has id %d but %s has %d rows (expected an id from 0 to %d)",
                t,
                ids[t],
                table.name(),
                from.rows(),
                from.rows() - 1));
      }
    }
    int[] own = ids.clone(); // until the way back
    FloatMatrix y = tape.result(own.length, from.cols());
    for (int t = 0; t < own.length; t++) {
      System.arraycopy(from.data(), from.rowIndex(own[t]), y.data(), y.rowIndex(t), y.cols());
    }
    return tape.record(y, List.of(), parameters(), List.of(), gy -> backward(tape, own, gy));
  }

  // gy [tokens, features] -> gtable [ids, features]
  private void backward(Tape tape, int[] ids, FloatMatrix gy) {
    FloatMatrix sum = table.grad();
    tape.kernels()
        .parallel()
        .forEach(
            (gy.cols() + COLUMNS_A_TASK - 1) / COLUMNS_A_TASK,
            task -> {
              int begin = task * COLUMNS_A_TASK;
              int end = Math.min(gy.cols(), begin + COLUMNS_A_TASK);
              for (int t = 0; t < ids.length; t++) {
                int to = sum.rowIndex(ids[t]);
                int from = gy.rowIndex(t);
                for (int j = begin; j < end; j++) {
                  sum.data()[to + j] += gy.data()[from + j];
                }
              }
            });
  }

  /**
   * What the layer learns.
   *
   * @return the table
   */
  public List<Parameter> parameters() {
    return List.of(table);
  }
}
