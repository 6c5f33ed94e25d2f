package dev.switchyard.bench.adapt;

import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.RouterKind;
import java.util.List;
import java.util.Locale;

/**
 * One way to adapt the encoder, with its place in the table.
 *
 * @param name of its files
 * @param title what people read
 * @param router how tokens are chosen
 * @param reduction tokens for each chosen one
 */
record Variant(String name, String title, RouterKind router, double reduction) {
  /** What is compared, from the most work to the least. */
  static List<Variant> all() {
    return List.of(
        new Variant("dense", "dense with parallel adapter", RouterKind.ALL, 1),
        coda(3),
        coda(5),
        new Variant("first", "first tokens, r = 3", RouterKind.FIRST, 3),
        new Variant("random", "random tokens, r = 3", RouterKind.RANDOM, 3),
        new Variant("adapter", "adapter alone", RouterKind.NONE, 1));
  }

  private static Variant coda(int reduction) {
    return new Variant(
        "coda-r" + reduction,
        String.format(Locale.ROOT, "CoDA, r = %d", reduction),
        RouterKind.SOFT_TOP_K,
        reduction);
  }

  boolean isDense() {
    return router == RouterKind.ALL;
  }

  CodaOptions options(CodaOptions common) {
    // A dense layer needs no queries of their own.
    return (isDense() ? common.withAttention(HeavyAttention.CHOSEN_TO_CHOSEN) : common)
        .withRouter(router)
        .withReduction(reduction);
  }
}
