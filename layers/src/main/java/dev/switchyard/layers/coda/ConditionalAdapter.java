package dev.switchyard.layers.coda;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.ResidualBlock;
import dev.switchyard.layers.norm.LayerNorm;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * CoDA, a conditional adapter (Lei et al. 2023): a router sends a few tokens of each sequence
 * through a pretrained block, which stays as it is, and all tokens pass a small adapter.
 *
 * <pre>
 *   n = norm(x)      chosen, m = router(n)
 *   y_i = x_i + m_j (block(x)_j - x_i) + scale adapter(n)_i      for the chosen, i = row(j)
 *   y_i = x_i + scale adapter(n)_i                               for the others
 * </pre>
 *
 * <p>The block is computed for the chosen rows alone, which is what makes it fast; each is the same
 * bits as that row of the whole block, in int8 too. Where all are chosen with gates of 1 and the
 * adapter gives zeros, as it does at first, y is exactly block(x). In full, with separate routers,
 * see {@link HeavyAttention#SEPARATE_ROUTERS}:
 *
 * <pre>
 *   h = x + m_q (attend(x_q, x_k, m_k) - x)      y = h + m_f (transform(h_f) - h) + scale adapter(n)
 * </pre>
 *
 * <p>What learns is the adapter, the router and the normalizations, the block's among them, of
 * which this layer has copies; the block's other parameters are frozen here, shared with the block,
 * and can learn too after {@link #setBaseFrozen}, for a light phase of pretraining. A block that
 * attends to all tokens computes its queries apart (see {@link
 * ResidualBlock#withSeparateQueries()}), with copies of their weights: in {@code SWITCHBACK}, where
 * a weight has a single scale, it is the block so separated whose bits the rows are.
 *
 * <p>A choice among all tokens of a sequence depends on those that come later: no causal block is
 * accepted, and nothing can be generated token by token. For use by one thread at a time.
 */
public final class ConditionalAdapter implements SequenceLayer {
  private final ResidualBlock block;
  private final CodaOptions options;
  private final List<LayerNorm> norms; // of x and, with separate routers, of h; or none
  private final List<Router> routers; // one, or of queries, of keys, and of the feed-forward part
  private final ParallelAdapter adapter;
  private Consumer<Selection> observer = selection -> {};

  /**
   * Wraps a pretrained block. Its parameters but for its normalizations are frozen.
   *
   * @param name prefix of the new parameters' names
   * @param block the heavy branch
   * @param options what the layer is like
   * @param random where new weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   * @throws IllegalArgumentException if the block is causal
   */
  public ConditionalAdapter(
      String name, ResidualBlock block, CodaOptions options, CounterRandom random) {
    this(name, block, options, routers(name, block, options, random.split(0)), random.split(1));
  }

  /**
   * Wraps a pretrained block with routers of one's own.
   *
   * @param name prefix of the new parameters' names
   * @param block the heavy branch
   * @param options what the layer is like, without its router
   * @param routers one router, or for {@link HeavyAttention#SEPARATE_ROUTERS} those of queries, of
   *     keys and values, and of the feed-forward part
   * @param random where the adapter's weights come from: a {@linkplain CounterRandom#split split}
   *     for it alone, as the same generator gives two layers the same numbers
   * @throws IllegalArgumentException if the block is causal, or there are more or fewer routers
   */
  public ConditionalAdapter(
      String name,
      ResidualBlock block,
      CodaOptions options,
      List<Router> routers,
      CounterRandom random) {
    if (block.isCausal()) {
      throw new IllegalArgumentException(
          name
              + " would choose among all tokens of a sequence, those that are not yet known to a"
              + " causal block too (expected one that attends both ways; for generation leave the"
              + " decoder dense, as CoDA does)");
    }
    boolean separate = options.attention() == HeavyAttention.SEPARATE_ROUTERS;
    if (routers.size() != (separate ? 3 : 1)) {
      throw new IllegalArgumentException(
          name + " has " + routers.size() + " routers (expected " + (separate ? 3 : 1) + ")");
    }
    boolean apart =
        options.attention() != HeavyAttention.CHOSEN_TO_CHOSEN && options.router().leavesSomeOut();
    ResidualBlock own = block.withOwnNorms();
    int features = own.norms().getFirst().features();
    this.block = apart ? own.withSeparateQueries() : own;
    this.options = options;
    this.routers = List.copyOf(routers);
    this.adapter =
        new ParallelAdapter(
            name + ".adapter",
            features,
            options.bottleneck(),
            options.precision(),
            options.dropout(),
            random);
    List<LayerNorm> inputNorms = new ArrayList<>();
    if (options.normalize()) {
      inputNorms.add(new LayerNorm(name + ".norm", features));
      if (separate) {
        inputNorms.add(new LayerNorm(name + ".feedForwardNorm", features));
      }
    }
    this.norms = List.copyOf(inputNorms);
    this.block.norms().forEach(norm -> norm.parameters().forEach(p -> p.setFrozen(false)));
    setBaseFrozen(true); // last, as the block is the caller's, and this may never be made
  }

  private ConditionalAdapter(ConditionalAdapter other, double reduction) {
    this.block = other.block;
    this.options = other.options.withReduction(reduction);
    this.norms = other.norms;
    this.routers = other.routers.stream().map(router -> router.withReduction(reduction)).toList();
    this.adapter = other.adapter;
  }

  private static List<Router> routers(
      String name, ResidualBlock block, CodaOptions options, CounterRandom random) {
    int features = block.norms().getFirst().features();
    if (options.attention() != HeavyAttention.SEPARATE_ROUTERS) {
      return List.of(options.router().router(name + ".router", features, options, random));
    }
    List<Router> all = new ArrayList<>();
    for (String of : List.of("queryRouter", "keyRouter", "feedForwardRouter")) {
      String whole = name + "." + of;
      all.add(options.router().router(whole, features, options, random.split(all.size())));
    }
    return all;
  }

  // x [tokens, features] -> y [tokens, features]
  @Override
  public Tensor forward(Tape tape, Tensor x, Sequences sequences) {
    sequences.requireRows(x.rows());
    Tensor normal = normalize(tape, 0, x);
    Tensor light = adapter.forward(tape, normal);
    Tensor y =
        routers.size() == 1
            ? route(tape, x, normal, light, sequences)
            : routeSeparately(tape, x, normal, light, sequences);
    if (normal != x) {
      tape.release(normal);
    }
    return y;
  }

  /** One choice for the whole block. */
  private Tensor route(Tape tape, Tensor x, Tensor normal, Tensor light, Sequences sequences) {
    Routing routing = route(0, tape, normal, sequences);
    Selection selection = routing.selection();
    Tensor chosen = Rows.gather(tape, x, selection);
    Tensor heavy = chosen;
    if (chosen.rows() > 0) {
      boolean toAll = options.attention() == HeavyAttention.CHOSEN_TO_ALL;
      Tensor context = toAll ? x : chosen;
      Sequences ofContext = toAll ? sequences : selection.chosen();
      Tensor h = block.attend(tape, chosen, selection.chosen(), context, ofContext, null);
      heavy = block.transform(tape, h, selection.chosen());
      tape.release(h);
    }
    Tensor gates = routing.gates().orElse(null);
    Tensor y = Rows.mix(tape, x, heavy, selection, gates, light, options.scale());
    releaseUnless(tape, x, chosen);
    releaseUnless(tape, chosen, heavy);
    return y;
  }

  /** A choice of queries, one of keys, and one for the feed-forward part. */
  private Tensor routeSeparately(
      Tape tape, Tensor x, Tensor normal, Tensor light, Sequences sequences) {
    Routing ofQueries = route(0, tape, normal, sequences);
    Routing ofKeys = route(1, tape, normal, sequences);
    Tensor h = attendSeparately(tape, x, ofQueries, ofKeys);
    Tensor normalH = normalize(tape, 1, h);
    Routing ofFeedForward = route(2, tape, normalH, sequences);
    releaseUnless(tape, h, normalH);
    Selection selection = ofFeedForward.selection();
    Tensor chosen = Rows.gather(tape, h, selection);
    Tensor heavy = chosen.rows() > 0 ? block.transform(tape, chosen, selection.chosen()) : chosen;
    Tensor gates = ofFeedForward.gates().orElse(null);
    Tensor y = Rows.mix(tape, h, heavy, selection, gates, light, options.scale());
    releaseUnless(tape, h, chosen);
    releaseUnless(tape, chosen, heavy);
    releaseUnless(tape, x, h);
    return y;
  }

  private Tensor attendSeparately(Tape tape, Tensor x, Routing ofQueries, Routing ofKeys) {
    Selection queries = ofQueries.selection();
    Selection keys = ofKeys.selection();
    Tensor chosen = Rows.gather(tape, x, queries);
    if (chosen.rows() == 0) {
      return x;
    }
    Tensor context = Rows.gather(tape, x, keys);
    Tensor attended =
        block.attend(
            tape, chosen, queries.chosen(), context, keys.chosen(), ofKeys.gates().orElse(null));
    Tensor h = Rows.mix(tape, x, attended, queries, ofQueries.gates().orElse(null), null, 0);
    releaseUnless(tape, x, chosen);
    releaseUnless(tape, x, context);
    tape.release(attended);
    return h;
  }

  private Routing route(int which, Tape tape, Tensor x, Sequences sequences) {
    Routing routing = routers.get(which).route(tape, x, sequences);
    if (!tape.isRepeating()) {
      observer.accept(routing.selection());
    }
    return routing;
  }

  private Tensor normalize(Tape tape, int which, Tensor x) {
    return norms.isEmpty() ? x : norms.get(which).forward(tape, x);
  }

  private static void releaseUnless(Tape tape, Tensor same, Tensor x) {
    if (x != same) {
      tape.release(x);
    }
  }

  /**
   * The same layer with the same parameters, which chooses another part of the tokens: for
   * inference with more or less work than it was trained with.
   *
   * @param reduction tokens for each chosen one, from 1
   * @return the layer
   * @throws IllegalArgumentException if the reduction is less than 1
   * @throws UnsupportedOperationException if a router has no reduction
   */
  public ConditionalAdapter withReduction(double reduction) {
    return new ConditionalAdapter(this, reduction);
  }

  /**
   * Refuses: there is no layer without a router that computes the same.
   *
   * @return never
   * @throws UnsupportedOperationException always, with the reason
   */
  @SuppressWarnings("DoNotCallSuggester") // whoever looks for it finds the reason
  public ResidualBlock merge() {
    throw new UnsupportedOperationException(
        "a conditional adapter cannot be merged into its block: which tokens pass the block, and"
            + " how far, depends on the tokens, and the adapter acts where the block does not");
  }

  /**
   * What learns for a task: adapter, routers and normalizations, the block's among them.
   *
   * @return the parameters, always in the same order
   */
  public List<Parameter> learned() {
    List<Parameter> all = new ArrayList<>(added());
    block.norms().forEach(norm -> all.addAll(norm.parameters()));
    return List.copyOf(all);
  }

  /**
   * What learns and was not in the block: adapter and routers with their normalizations.
   *
   * @return the parameters, always in the same order
   */
  public List<Parameter> added() {
    List<Parameter> all = new ArrayList<>(adapter.parameters());
    routers.forEach(router -> all.addAll(router.parameters()));
    norms.forEach(norm -> all.addAll(norm.parameters()));
    return List.copyOf(all);
  }

  /**
   * The pretrained parameters but for the normalizations: they do not learn, unless {@link
   * #setBaseFrozen} says so.
   *
   * @return the parameters, always in the same order
   */
  public List<Parameter> base() {
    Set<Parameter> all = new LinkedHashSet<>(block.parameters());
    block.norms().forEach(norm -> norm.parameters().forEach(all::remove));
    return List.copyOf(all);
  }

  /**
   * Freezes the pretrained parameters, or lets them learn too, as in a light phase of pretraining
   * (Lei et al. 2023, section 3.3). Parameters that are shared with the block change there too.
   *
   * @param frozen whether they stay as they are
   */
  public void setBaseFrozen(boolean frozen) {
    Parameter.setFrozen(base(), frozen);
  }

  /**
   * Says at which step a training is, for the temperature of soft top-k, see {@link EpsSchedule}.
   *
   * @param step how many were made
   */
  public void startStep(long step) {
    routers.forEach(router -> router.startStep(step));
  }

  /**
   * Lets someone look at each selection, while the step of its tape lasts.
   *
   * @param newObserver is told of each batch, router by router; replaces the one before
   */
  public void observe(Consumer<Selection> newObserver) {
    observer = newObserver;
  }

  /**
   * What the routers did since it was last cleared.
   *
   * @return of the one router, or of those of queries, keys, and the feed-forward part
   */
  public List<RouterStatistics> statistics() {
    return routers.stream().map(Router::statistics).toList();
  }

  /**
   * What the layer is like.
   *
   * @return its options
   */
  public CodaOptions options() {
    return options;
  }

  /** What learns, and the base. */
  @Override
  public List<Parameter> parameters() {
    return Model.concat(learned(), base());
  }

  @Override
  public List<? extends Model> parts() {
    List<Model> parts = new ArrayList<>(List.of(block, adapter));
    parts.addAll(routers);
    parts.addAll(norms);
    return parts;
  }
}
