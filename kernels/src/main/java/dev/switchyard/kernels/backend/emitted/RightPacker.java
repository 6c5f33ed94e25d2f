package dev.switchyard.kernels.backend.emitted;

import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;

/** Packs B: panels of columns, in each the groups of k one below the other. */
final class RightPacker {
  private final EmittedCode code;
  private final Target target;

  RightPacker(EmittedCode code) {
    this.code = code;
    this.target = code.target();
  }

  /** Makes room for the panels. */
  void reserve(PackedMatrix out) {
    out.reserveMemory(out.panelCount() * panelBytes(out));
  }

  /** A panel ends with a whole square, which transposing writes. */
  long panelBytes(PackedMatrix b) {
    int squares = Math.ceilDiv(target.dot(b.type()).groups(b.inner()), target.lanes());
    return (long) squares * target.lanes() * target.panelGroupBytes();
  }

  /** Packs some rows of the operand as it is stored. */
  void pack(Workspace w, Matrix b, int rowBegin, int rowEnd, PackedMatrix out) {
    w.b.set(out.memory(), 0, 0);
    w.region.of(b, out.type(), target.dot(out.type()));
    if (out.form() == Form.NT) {
      for (int row = rowBegin; row < rowEnd; row += target.panelCols()) {
        packPanel(w, b.cols(), row, Math.min(target.panelCols(), rowEnd - row), out);
      }
    } else {
      packRows(w, b.cols(), rowBegin, rowEnd, out);
    }
  }

  /**
   * One panel from rows that are its columns, square by square. Columns past the last vector that
   * is in use keep what the memory held: they are multiplied, but not stored.
   */
  private void packPanel(Workspace w, int inner, int row, int rows, PackedMatrix out) {
    Dot dot = target.dot(out.type());
    int square = target.lanes() * dot.group;
    int readRows = Units.roundUp(rows, target.lanes());
    int most = Units.roundUp(Units.rowsACall(target.panelCols()), square);
    for (int k = 0, depth; k < inner; k += depth) {
      depth = Units.whole(inner - k, square, most);
      int readCols = Units.roundUp(depth, square);
      w.region.set(row, rows, k, depth, readRows, readCols, true);
      w.pack.setFlips(depth < square ? depth : target.vectorBytes(), PackArguments.FLIP_BYTES);
      w.b.at(
          row / target.panelCols() * panelBytes(out)
              + (long) k / dot.group * target.panelGroupBytes(),
          0);
      w.region.pack(
          code,
          Layout.TRANSPOSED_PANEL,
          readRows / target.lanes(),
          readCols / square,
          w.pack,
          0,
          w.b);
    }
  }

  /** All panels from rows of k. */
  private void packRows(Workspace w, int cols, int rowBegin, int rowEnd, PackedMatrix out) {
    Dot dot = target.dot(out.type());
    int most = Units.roundUp(Units.rowsACall(cols), dot.group);
    int readCols = out.panelCount() * target.panelCols();
    for (int k = rowBegin, depth; k < rowEnd; k += depth) {
      depth = Units.whole(rowEnd - k, dot.group, most);
      int readRows = Units.roundUp(depth, dot.group);
      w.region.set(k, depth, 0, cols, readRows, readCols, depth < readRows);
      // In a group that is not full, the bytes past k stay 0: they then count for nothing.
      w.pack.setFlips(depth < readRows ? depth : dot.group, dot.group);
      long offset = (long) k / dot.group * target.panelGroupBytes();
      w.b.at(offset, panelBytes(out));
      w.region.pack(
          code,
          Layout.INTERLEAVED_PANELS,
          readRows / dot.group,
          out.panelCount(),
          w.pack,
          target.panelCols(),
          w.b);
    }
    if (rowEnd == out.inner()) {
      endPanels(dot, out);
    }
  }

  /** Zeros from the last group to the end of its step. */
  private void endPanels(Dot dot, PackedMatrix out) {
    int groups = dot.groups(out.inner());
    int end = Units.roundUp(groups, target.stepGroups(dot));
    for (int panel = 0; panel < out.panelCount() && groups < end; panel++) {
      long from = panel * panelBytes(out) + (long) groups * target.panelGroupBytes();
      out.memory().asSlice(from, (long) (end - groups) * target.panelGroupBytes()).fill((byte) 0);
    }
  }
}
