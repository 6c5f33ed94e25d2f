package dev.switchyard.mpi;

import dev.switchyard.layers.Parameter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What all processes have to have in common before they train together: a process with another
 * version, model, seed or other data would not fail, it would spoil the result.
 */
public final class Agreement {
  private Agreement() {}

  /**
   * Compares facts with those of all other processes.
   *
   * @param collective the processes; all of them call this
   * @param facts by name, such as the version of the program, its options, {@link
   *     dev.switchyard.layers.io.Fingerprint} of the model
   * @throws CollectiveException on every process, if one has another fact than the first process,
   *     with its rank, the name of the fact and both values
   */
  public static void require(Collective collective, Map<String, String> facts) {
    StringBuilder mine = new StringBuilder();
    facts.forEach((name, value) -> mine.append(name).append('\0').append(value).append('\0'));
    List<byte[]> all = collective.gather(mine.toString().getBytes(StandardCharsets.UTF_8));
    Map<String, String> expected = parse(all.getFirst());
    for (int rank = 1; rank < all.size(); rank++) {
      Map<String, String> given = parse(all.get(rank));
      Set<String> names = new LinkedHashSet<>(expected.keySet());
      names.addAll(given.keySet());
      for (String name : names) {
        if (!Objects.equals(expected.get(name), given.get(name))) {
          throw new CollectiveException(
              String.format(
                  Locale.ROOT,
                  "process %d has %s %s but process 0 has %s (expected the same everywhere)",
                  rank,
                  name,
                  given.get(name),
                  expected.get(name)));
        }
      }
    }
  }

  /** Parameters in their order. */
  static Map<String, String> facts(List<Parameter> parameters) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("the number of parameters", String.valueOf(parameters.size()));
    for (int i = 0; i < parameters.size(); i++) {
      facts.put("parameter " + i, parameters.get(i).toString());
    }
    return facts;
  }

  private static Map<String, String> parse(byte[] facts) {
    String[] parts = new String(facts, StandardCharsets.UTF_8).split("\0", -1);
    Map<String, String> parsed = new LinkedHashMap<>();
    for (int i = 0; i + 1 < parts.length; i += 2) {
      parsed.put(parts[i], parts[i + 1]);
    }
    return parsed;
  }
}
