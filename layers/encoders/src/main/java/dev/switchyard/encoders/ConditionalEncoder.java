package dev.switchyard.encoders;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.coda.AdapterFile;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.io.Fingerprint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A pretrained encoder whose every block is wrapped by a {@link ConditionalAdapter}: most of it is
 * computed for a few tokens of each text alone. The pretrained parameters are shared with the
 * encoder and frozen; what learns is new. For use by one thread at a time.
 */
public final class ConditionalEncoder implements TokenEncoder {
  private final BertEncoder base;
  private final String fingerprint;
  private final List<ConditionalAdapter> adapters;

  /**
   * Adapts an encoder.
   *
   * @param base the pretrained encoder, whose parameters are frozen, all or after an error none
   * @param options of all its blocks
   * @param random where new weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   */
  public ConditionalEncoder(BertEncoder base, CodaOptions options, CounterRandom random) {
    this(base, Fingerprint.of(base.parameters()), adapters(base, options, random));
  }

  private ConditionalEncoder(
      BertEncoder base, String fingerprint, List<ConditionalAdapter> adapters) {
    this.base = base;
    this.fingerprint = fingerprint;
    this.adapters = adapters;
  }

  /** Adapts all blocks or, after an error, none: the encoder is the caller's. */
  private static List<ConditionalAdapter> adapters(
      BertEncoder base, CodaOptions options, CounterRandom random) {
    List<Parameter> pretrained = base.parameters();
    Parameter[] learning = pretrained.stream().filter(p -> !p.frozen()).toArray(Parameter[]::new);
    try {
      ConditionalAdapter[] adapters = new ConditionalAdapter[base.blocks().size()];
      for (int i = 0; i < adapters.length; i++) {
        adapters[i] =
            new ConditionalAdapter("coda." + i, base.blocks().get(i), options, random.split(i));
      }
      List<ConditionalAdapter> all = List.of(adapters);
      Parameter.setFrozen(pretrained, true);
      return all;
    } catch (Throwable e) {
      for (Parameter parameter : learning) { // needs no memory
        parameter.setFrozen(false);
      }
      throw e;
    }
  }

  // ids [tokens] -> [tokens, features]
  @Override
  public Tensor forward(Tape tape, int[] ids, Sequences sequences) {
    Tensor x = base.embed(tape, ids, new int[ids.length], sequences);
    for (ConditionalAdapter adapter : adapters) {
      x = adapter.forward(tape, x, sequences);
    }
    return x;
  }

  /**
   * The same encoder with the same parameters, which computes another part of the tokens.
   *
   * @param reduction tokens for each chosen one, from 1
   * @return the encoder
   */
  public ConditionalEncoder withReduction(double reduction) {
    return new ConditionalEncoder(
        base, fingerprint, adapters.stream().map(a -> a.withReduction(reduction)).toList());
  }

  /**
   * What learns: adapters, routers and normalizations.
   *
   * @return the parameters, always in the same order
   */
  public List<Parameter> learned() {
    List<Parameter> all = new ArrayList<>();
    adapters.forEach(adapter -> all.addAll(adapter.learned()));
    return List.copyOf(all);
  }

  /**
   * What of it is new: adapters and routers with their normalizations, without those that every
   * encoder has.
   *
   * @return the parameters, always in the same order
   */
  public List<Parameter> added() {
    List<Parameter> all = new ArrayList<>();
    adapters.forEach(adapter -> all.addAll(adapter.added()));
    return List.copyOf(all);
  }

  /**
   * The adapters of the blocks, in the order of computation.
   *
   * @return as many as there are blocks
   */
  public List<ConditionalAdapter> adapters() {
    return adapters;
  }

  /**
   * What was learned, for a file.
   *
   * @param further parameters that learned with it, such as those of a head
   * @param step how many training steps were made
   * @param notes whatever else belongs to it
   * @return the content of the file
   */
  public AdapterFile toFile(List<Parameter> further, long step, Map<String, String> notes) {
    return AdapterFile.of(fingerprint, adapters, further, step, notes);
  }

  /**
   * Takes over what was learned.
   *
   * @param file of an encoder with the same options
   * @param further parameters that learned with it
   * @throws IllegalArgumentException if it was made for another pretrained encoder, or with other
   *     options; nothing is changed then
   */
  public void load(AdapterFile file, List<Parameter> further) {
    file.load(fingerprint, adapters, further);
  }

  @Override
  public BertShape shape() {
    return base.shape();
  }

  /** What learns, and what was pretrained. */
  @Override
  public List<? extends Model> parts() {
    List<Model> parts = new ArrayList<>(adapters);
    parts.addAll(base.embeddings());
    return parts;
  }
}
