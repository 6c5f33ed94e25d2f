package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.io.MalformedFileException;
import dev.switchyard.layers.io.Safetensors;
import dev.switchyard.layers.io.SafetensorsWriter;
import dev.switchyard.layers.io.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the conditional adapters of a model have learned, without the model: a safetensors file of
 * their parameters, their options, the step at which their temperature is, and the {@linkplain
 * dev.switchyard.layers.io.Fingerprint fingerprint} of the model that they were made for. With
 * another they are refused, since routers and adapters mean nothing to it.
 *
 * @param weights what was learned, by the parameter's name
 * @param vectors the names of those weights that are [n] in the file
 * @param base fingerprint of the pretrained model, as it was read
 * @param options of all adapters
 * @param step how many training steps were made
 * @param notes whatever else belongs to it, such as the names of classes
 */
public record AdapterFile(
    Map<String, FloatMatrix> weights,
    Set<String> vectors,
    String base,
    CodaOptions options,
    long step,
    Map<String, String> notes) {
  private static final String FORMAT = "switchyard.adapter";
  private static final String VERSION = "1";
  private static final String OPTION = "option.";
  private static final String NOTE = "note.";

  /**
   * Copies the maps, not the matrices.
   *
   * @throws IllegalArgumentException if the step is negative
   */
  public AdapterFile {
    if (step < 0) {
      throw new IllegalArgumentException("step is " + step + " (expected 0 or more)");
    }
    weights = new LinkedHashMap<>(weights);
    vectors = Set.copyOf(vectors);
    notes = new LinkedHashMap<>(notes);
  }

  /**
   * What adapters have learned. Matrices are not copied: write it before the next step.
   *
   * @param base fingerprint of the pretrained model
   * @param adapters of its layers, all with the same options
   * @param further parameters that learned with them, such as those of a head
   * @param step how many training steps were made
   * @param notes whatever else belongs to it
   * @return the content of a file
   * @throws IllegalArgumentException if there is no adapter, their options differ, two parameters
   *     have one name, or the step is negative
   */
  public static AdapterFile of(
      String base,
      List<ConditionalAdapter> adapters,
      List<Parameter> further,
      long step,
      Map<String, String> notes) {
    List<Parameter> learned = learned(adapters, further);
    return new AdapterFile(
        Weights.of(learned), Weights.vectors(learned), base, options(adapters), step, notes);
  }

  private static List<Parameter> learned(
      List<ConditionalAdapter> adapters, List<Parameter> further) {
    List<Parameter> all = new ArrayList<>();
    adapters.forEach(adapter -> all.addAll(adapter.learned()));
    all.addAll(further);
    return all;
  }

  private static CodaOptions options(List<ConditionalAdapter> adapters) {
    if (adapters.isEmpty()) {
      throw new IllegalArgumentException("there is no adapter (expected one or more)");
    }
    CodaOptions options = adapters.getFirst().options();
    for (ConditionalAdapter adapter : adapters) {
      if (!adapter.options().equals(options)) {
        throw new IllegalArgumentException(
            "adapters differ: " + options + " and " + adapter.options() + " (expected the same)");
      }
    }
    return options;
  }

  /**
   * Writes it in one step, see {@link dev.switchyard.layers.io.AtomicFile}.
   *
   * @param file in a folder that exists
   * @throws IOException if it cannot be written; what stood there before is intact
   */
  public void write(Path file) throws IOException {
    SafetensorsWriter out = new SafetensorsWriter().weights(weights, vectors);
    OptionsText.of(options).forEach((name, value) -> out.metadata(OPTION + name, value));
    notes.forEach((name, value) -> out.metadata(NOTE + name, value));
    out.metadata(FORMAT, VERSION)
        .metadata("base", base)
        .metadata("step", Long.toString(step))
        .write(file);
  }

  /**
   * Reads it.
   *
   * @param file what {@link #write} wrote
   * @return its content
   * @throws MalformedFileException if the file is damaged, or holds no adapter
   * @throws IOException if it cannot be read
   */
  public static AdapterFile read(Path file) throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      Map<String, String> metadata = in.metadata();
      if (!in.hasChecksum() || !VERSION.equals(metadata.get(FORMAT))) {
        throw new MalformedFileException(
            file
                + " holds no adapter (expected a checksum and "
                + FORMAT
                + " "
                + VERSION
                + " in its metadata)");
      }
      Map<String, FloatMatrix> weights = Weights.read(in);
      String base = metadata.get("base");
      if (base == null) {
        throw new MalformedFileException(file + " does not name its base (expected a fingerprint)");
      }
      return new AdapterFile(
          weights,
          Weights.vectors(in),
          base,
          OptionsText.read(below(OPTION, metadata)),
          Long.parseLong(String.valueOf(metadata.get("step"))),
          below(NOTE, metadata));
    } catch (IllegalArgumentException e) { // NumberFormatException is one
      throw new MalformedFileException(file + " holds no adapter: " + e.getMessage());
    }
  }

  private static Map<String, String> below(String prefix, Map<String, String> metadata) {
    Map<String, String> found = new LinkedHashMap<>();
    metadata.forEach(
        (key, value) -> {
          if (key.startsWith(prefix)) {
            found.put(key.substring(prefix.length()), value);
          }
        });
    return found;
  }

  /**
   * Gives adapters what was learned.
   *
   * @param ofBase fingerprint of the pretrained model that they adapt
   * @param adapters of its layers, with the options of the file; dropout and the adapter's
   *     precision may differ. For another reduction see {@link ConditionalAdapter#withReduction}
   * @param further parameters that learned with them
   * @throws IllegalArgumentException if base, options or parameters are others, with all that does
   *     not fit; nothing is changed then
   */
  public void load(String ofBase, List<ConditionalAdapter> adapters, List<Parameter> further) {
    if (!ofBase.equals(base)) {
      throw new IllegalArgumentException(
          "the adapter was made for the base "
              + base
              + " but is given "
              + ofBase
              + " (expected the same pretrained model)");
    }
    Map<String, String> here = OptionsText.meaning(options(adapters));
    Map<String, String> there = OptionsText.meaning(options);
    TreeSet<String> names = new TreeSet<>(here.keySet());
    names.addAll(there.keySet());
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      String mine = String.valueOf(here.get(name));
      String its = String.valueOf(there.get(name));
      if (!mine.equals(its)) {
        differences.add(name + " is " + mine + ", in the file " + its);
      }
    }
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the adapter was trained with other options: "
              + String.join("; ", differences)
              + " (expected the same)");
    }
    Weights.load(
        weights,
        learned(adapters, further),
        () -> adapters.forEach(adapter -> adapter.startStep(step)));
  }
}
