package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Node;
import dev.switchyard.layers.Profile.Part;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The way of rows into the heavy branch and back. */
final class Rows {
  private Rows() {}

  // x [tokens, features] -> y [chosen, features]
  /** {@code y_j = x_row(j)}; x itself if all rows were chosen. */
  static Tensor gather(Tape tape, Tensor x, Selection selection) {
    if (selection.isAll()) {
      return x;
    }
    FloatMatrix y = tape.result(selection.chosen().tokens(), x.cols());
    tape.timed(
        Part.ROUTE, () -> tape.kernels().indexedRows().gather(x.value(), selection.rows(), y));
    return tape.node(y)
        .from(x)
        .backward(
            (gy, kept) -> tape.timed(Part.ROUTE, () -> tape.addGradRows(x, selection.rows(), gy)));
  }

  // x, a [tokens, features], b [chosen, features], gates [chosen, 1] -> y [tokens, features]
  /**
   * {@code y_i = x_i + m_j (b_j - x_i) + scale a_i} for the chosen, {@code x_i + scale a_i} for the
   * others; without a if that is null. Takes the storage of a, which nobody reads again: a quarter
   * less to move.
   */
  static Tensor mix(
      Tape tape, Tensor x, Tensor b, Selection selection, Tensor gates, Tensor a, float scale) {
    FloatMatrix y = a == null ? tape.result(x.rows(), x.cols()) : a.value();
    int[] rows = rows(tape, selection);
    float[] m = gates == null ? null : gates.value().data();
    tape.timed(
        Part.ROUTE,
        () ->
            tape.kernels()
                .indexedRows()
                .mix(x.value(), b.value(), rows, m, a == null ? null : y, scale, y));
    List<Tensor> from = new ArrayList<>(List.of(x, b));
    if (gates != null) {
      from.add(gates);
    }
    if (a != null) {
      from.add(a);
    }
    Node node = tape.node(y).from(from);
    if (gates == null) {
      node.keeps(x.value(), b.value());
    } else {
      node.keeps(x.value(), b.value(), gates.value());
    }
    return node.backward((gy, kept) -> mixBackward(tape, x, b, rows, gates, a, scale, kept, gy));
  }

  private static void mixBackward(
      Tape tape,
      Tensor x,
      Tensor b,
      int[] rows,
      Tensor gates,
      Tensor a,
      float scale,
      Node.Kept kept,
      FloatMatrix gy) {
    FloatMatrix gx = tape.take(x.rows(), x.cols());
    FloatMatrix gb = tape.take(b.rows(), b.cols());
    FloatMatrix gm = tape.take(b.rows(), 1);
    float[] m = gates == null ? null : kept.floats(2).data();
    tape.timed(
        Part.ROUTE,
        () ->
            tape.kernels()
                .indexedRows()
                .mixBackward(gy, kept.floats(0), kept.floats(1), rows, m, gx, gb, gm.data()));
    if (a != null && a.wantsGrad()) {
      passScaled(tape, a, scale, gy);
    }
    tape.addGrad(b, gb);
    tape.addGrad(x, gx);
    if (gates == null) {
      tape.giveBack(gm);
    } else {
      tape.addGrad(gates, gm);
    }
  }

  private static void passScaled(Tape tape, Tensor a, float scale, FloatMatrix gy) {
    if (scale == 1) {
      tape.passOn(a);
      return;
    }
    FloatMatrix ga = tape.take(a.rows(), a.cols());
    gy.copyTo(ga);
    tape.kernels().elementwise().scale(ga.data(), ga.rows() * ga.cols(), scale);
    tape.addGrad(a, ga);
  }

  private static int[] rows(Tape tape, Selection selection) {
    if (!selection.isAll()) {
      return selection.rows();
    }
    int[] all = tape.indices(selection.all().tokens());
    for (int i = 0; i < selection.all().tokens(); i++) {
      all[i] = i;
    }
    return all;
  }
}
