package dev.switchyard.layers.optim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Writes measurements as comma-separated lines {@code step,name,quantity,value}, below a first line
 * that says so. For use by one thread.
 */
public final class MeasurementLines implements Consumer<Measurement> {
  private final Appendable out;

  /**
   * Lines of which the first is written.
   *
   * @param out takes each line as a whole
   * @throws UncheckedIOException if the first line cannot be written
   */
  public MeasurementLines(Appendable out) {
    this.out = Objects.requireNonNull(out, "out");
    append("step,name,quantity,value\n");
  }

  /**
   * Writes a line.
   *
   * @param m what was measured
   * @throws UncheckedIOException if it cannot be written
   */
  @Override
  public void accept(Measurement m) {
    append(m.step() + "," + m.name() + "," + m.quantity() + "," + m.value() + "\n");
  }

  private void append(String line) {
    try {
      out.append(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
