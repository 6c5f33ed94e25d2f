package dev.switchyard.bench.page;

import java.util.List;
import java.util.Map;

/** Something to look at, below its title. */
public interface Figure {
  /** What it shows. */
  String title();

  /** The names of what is drawn in colours, in the order of the colours; none for no legend. */
  List<String> names();

  /** The picture, as XHTML or SVG. */
  String body();

  /** What a script draws in the place of the picture, for hover and zoom; empty for nothing. */
  default Map<String, Object> series() {
    return Map.of();
  }
}
