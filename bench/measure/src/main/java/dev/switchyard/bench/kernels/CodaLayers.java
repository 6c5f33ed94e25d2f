package dev.switchyard.bench.kernels;

import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.RouterKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One transformer block with conditional adapters of several kinds, and the same block with a
 * parallel adapter that computes all tokens: the forward pass.
 */
record CodaLayers(Kernels kernels, Precision precision, int features, Sequences batch) {
  static final int FEATURES_A_HEAD = 32;
  static final int EXPANSION = 4;

  /** All of them, the dense block first. */
  List<Contestant> all() {
    List<Contestant> all = new ArrayList<>();
    options().forEach((name, options) -> all.add(contestant(name, options)));
    return all;
  }

  /** One of them by its name. */
  Contestant named(String name) {
    CodaOptions options = options().get(name);
    if (options == null) {
      throw new IllegalArgumentException(
          "there is no layer " + name + " (expected one of " + options().keySet() + ")");
    }
    return contestant(name, options);
  }

  private Map<String, CodaOptions> options() {
    Map<String, CodaOptions> all = new LinkedHashMap<>();
    all.put("dense", dense(precision));
    for (HeavyAttention attention : HeavyAttention.values()) {
      for (int reduction : new int[] {3, 5}) {
        String words = attention.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        all.put(
            String.format(Locale.ROOT, "r = %d, %s", reduction, words),
            CodaOptions.of(reduction, precision).withAttention(attention));
      }
    }
    all.put(
        "r = 1.05, chosen to chosen",
        CodaOptions.of(1.05, precision).withAttention(HeavyAttention.CHOSEN_TO_CHOSEN));
    if (precision != Precision.FLOAT32) {
      all.put("dense FLOAT32", dense(Precision.FLOAT32));
    }
    return all;
  }

  private static CodaOptions dense(Precision precision) {
    return CodaOptions.of(1, precision)
        .withRouter(RouterKind.ALL)
        .withAttention(HeavyAttention.CHOSEN_TO_CHOSEN);
  }

  private Contestant contestant(String name, CodaOptions options) {
    CounterRandom random = new CounterRandom(1);
    Precision ofBlock = name.endsWith("FLOAT32") ? Precision.FLOAT32 : precision;
    PostNormBlock block =
        new PostNormBlock(
            "block", features, features / FEATURES_A_HEAD, EXPANSION * features, ofBlock, random);
    ConditionalAdapter layer = new ConditionalAdapter("coda", block, options, random.split(9));
    FloatMatrix x = Operands.gaussian(batch.tokens(), features, 1);
    Profile profile = new Profile();
    Tape tape = Tape.inference(kernels, profile);
    return new Contestant(
        name,
        profile,
        () -> {
          layer.forward(tape, Tensor.of(x), batch);
          tape.reset();
        });
  }
}
