package dev.switchyard.layers;

import dev.switchyard.kernels.data.FloatMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Tells a watcher of linear layers, once each: a part of a step that is computed twice is watched
 * the first time, and what wants to know of gradients is told the second time.
 */
final class Watching {
  private final Watching whole; // of which this is a part, or null
  private final boolean repeats; // the same part again
  private final List<Consumer<FloatMatrix>> told; // layer by layer, null where nobody wants to know
  private int next;
  private Tape.Watcher watcher;

  Watching() {
    this(null, false, List.of());
  }

  private Watching(Watching whole, boolean repeats, List<Consumer<FloatMatrix>> told) {
    this.whole = whole;
    this.repeats = repeats;
    this.told = told;
  }

  /** For a part that may be computed again. */
  Watching part() {
    return new Watching(this, false, new ArrayList<>());
  }

  /** For the same part again. */
  Watching again(Watching first) {
    return new Watching(this, true, first.told);
  }

  boolean isPart() {
    return whole != null;
  }

  boolean isRepeating() {
    return repeats || (whole != null && whole.isRepeating());
  }

  void set(Tape.Watcher newWatcher) {
    watcher = newWatcher;
  }

  /** Tells whoever watches of a forward pass; what is told the gradient in turn, or null. */
  Consumer<FloatMatrix> forward(Linear layer, FloatMatrix x) {
    if (whole == null) {
      return watcher == null ? null : watcher.forward(layer, x);
    }
    if (repeats) {
      return told.get(next++);
    }
    Consumer<FloatMatrix> toTell = whole.forward(layer, x);
    told.add(toTell);
    return toTell;
  }
}
