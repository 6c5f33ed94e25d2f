package dev.switchyard.layers;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import dev.switchyard.layers.model.VisionTransformer;
import dev.switchyard.layers.norm.L2Normalization;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.norm.LayerScale;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.FiniteGradients;
import dev.switchyard.layers.optim.GradientClipping;
import dev.switchyard.layers.optim.LossSpikes;
import dev.switchyard.layers.optim.Optimizer;
import dev.switchyard.layers.optim.ParameterGroup;
import dev.switchyard.layers.optim.Sgd;
import dev.switchyard.layers.optim.StabilityMonitor;
import dev.switchyard.layers.optim.StableAdamW;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/** Steps of training: every precision and optimizer, layer, loss, and way to use a tape. */
public final class StepFaultCases implements FaultCases {
  private static final int WIDTH = 4;
  private static final Sequences SEQUENCES = Sequences.ofLengths(3, 1);

  private final Kernels kernels;
  private final CounterRandom random = new CounterRandom(4);
  private final FloatMatrix x = Fixtures.gaussian(4, WIDTH, 2);
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  StepFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    for (Precision precision : Precision.values()) {
      add("a step in " + precision, () -> linear(precision, this::adamW));
    }
    add("a step of StableAdamW", () -> linear(Precision.FLOAT32, this::stableAdamW));
    add(
        "a step of SGD",
        () -> linear(Precision.FLOAT32, (k, all) -> new Sgd(k, all, Sgd.Settings.DEFAULT)));
    addModels();
    addLosses();
    addTapes();
    return cases;
  }

  private void add(String name, Supplier<SmallTraining> training) {
    cases.put(name, new FailingStep(training));
  }

  private Optimizer adamW(Kernels any, List<Parameter> parameters) {
    AdamW.Settings settings = AdamW.Settings.DEFAULT;
    return AdamW.ofGroups(any, ParameterGroup.byDecay(parameters, settings.decay()), settings);
  }

  private Optimizer stableAdamW(Kernels any, List<Parameter> parameters) {
    StableAdamW.Settings settings = StableAdamW.Settings.DEFAULT;
    return StableAdamW.ofGroups(
        any, ParameterGroup.byDecay(parameters, settings.decay()), settings);
  }

  private SmallTraining linear(
      Precision precision, BiFunction<Kernels, List<Parameter>, Optimizer> optimizer) {
    Linear below = new Linear("below", WIDTH, 6, precision, random.split(1));
    Linear above = new Linear("above", 6, 2, precision, random.split(2));
    return new SmallTraining(
        Tape.recording(kernels),
        Model.concat(below.parameters(), above.parameters()),
        tape ->
            squaredError(
                tape,
                above.forward(tape, new Gelu().forward(tape, below.forward(tape, Tensor.of(x))))),
        optimizer);
  }

  private static Tensor squaredError(Tape tape, Tensor y) {
    return new MeanSquaredError().forward(tape, y, FloatMatrix.allocate(y.rows(), y.cols()));
  }

  /** One whose loss is the mean square of what a model gives. */
  private void addModel(String name, Supplier<? extends Model> model, Forward forward) {
    add(
        name,
        () -> {
          Model made = model.get();
          return new SmallTraining(
              Tape.recording(kernels),
              made.parameters(),
              tape -> squaredError(tape, forward.of(made, tape)));
        });
  }

  /** What a model gives for the batch. */
  private interface Forward {
    Tensor of(Model model, Tape tape);
  }

  private void addLayer(String name, Function<CounterRandom, Layer> layer) {
    addModel(
        name,
        () -> layer.apply(random),
        (model, tape) -> ((Layer) model).forward(tape, Tensor.of(x)));
  }

  private void addSequenceLayer(String name, Function<CounterRandom, SequenceLayer> layer) {
    addModel(
        name,
        () -> layer.apply(random),
        (model, tape) -> ((SequenceLayer) model).forward(tape, Tensor.of(x), SEQUENCES));
  }

  private void addModels() {
    addLayer("feed-forward", r -> new FeedForward("f", WIDTH, 5, Precision.FLOAT32, r));
    addLayer("layer scale", r -> new LayerScale("scale", WIDTH, 0.5f));
    addLayer("layer norm", r -> disturbed(new LayerNorm("norm", WIDTH)));
    addSequenceLayer(
        "attention", r -> new SelfAttention("a", WIDTH, 2, true, Precision.SWITCHBACK, r));
    addSequenceLayer("learned positions", r -> Positions.learned("positions", 3, WIDTH, r));
    BlockOptions plain = BlockOptions.of(WIDTH, 2, Precision.FLOAT32).withHidden(5);
    BlockOptions rich =
        plain
            .withLayerScale(0.5f)
            .withDropout(0.2f)
            .withStochasticDepth(0.3f)
            .withCausalAttention();
    addSequenceLayer("a block", r -> new TransformerBlock("block", rich, r));
    addSequenceLayer(
        "a block computed twice", r -> new Recomputed(new TransformerBlock("block", rich, r)));
    addSequenceLayer(
        "a block that normalizes later",
        r -> new PostNormBlock("block", WIDTH, 2, 5, Precision.FLOAT32, r));
    for (Pooling pooling : Pooling.values()) {
      addSequenceLayer(
          "pooling by " + pooling, r -> SequenceHead.scores("head", WIDTH, 3, pooling, r));
    }
    int[] ids = {1, 0, 1, 3};
    addModel(
        "a text",
        () ->
            new TextTransformer(
                new TokenEmbedding("tokens", 5, WIDTH, random.split(1)),
                Positions.sinusoidal(3, WIDTH),
                new Transformer("blocks", 1, plain, random.split(2)),
                SequenceHead.embedding("head", WIDTH, 2, Pooling.MEAN, random.split(3))),
        (model, tape) -> ((TextTransformer) model).forward(tape, ids, SEQUENCES));
    addModel(
        "images",
        () ->
            new VisionTransformer(
                new PatchEmbedding(
                    "embedding",
                    new ImageShape(1, 2, 2),
                    1,
                    WIDTH,
                    Precision.FLOAT32,
                    random.split(1)),
                new Transformer("blocks", 1, plain, random.split(2)),
                SequenceHead.scores("head", WIDTH, 2, Pooling.MEAN, random.split(3))),
        (model, tape) -> ((VisionTransformer) model).forward(tape, Tensor.of(x)));
  }

  private static <M extends Model> M disturbed(M model) {
    Fixtures.disturb(model.parameters(), 0.3f);
    return model;
  }

  private void addLosses() {
    add(
        "cross-entropy",
        () -> {
          Linear scores = new Linear("scores", WIDTH, 3, Precision.FLOAT32, random);
          CrossEntropy loss = new CrossEntropy(0.1f).withIgnored(-100).withClassWeights(1, 2, 0.5f);
          return new SmallTraining(
              Tape.recording(kernels),
              scores.parameters(),
              tape -> loss.forward(tape, scores.forward(tape, Tensor.of(x)), 2, -100, 0, 1));
        });
    add(
        "pairs",
        () -> {
          Linear images = new Linear("images", WIDTH, 3, Precision.FLOAT32, random.split(1));
          Linear texts = new Linear("texts", WIDTH, 3, Precision.FLOAT32, random.split(2));
          ContrastiveLoss loss = new ContrastiveLoss("loss");
          L2Normalization unit = new L2Normalization();
          return new SmallTraining(
              Tape.recording(kernels),
              Model.concat(images.parameters(), texts.parameters(), loss.parameters()),
              tape ->
                  loss.forward(
                      tape,
                      unit.forward(tape, images.forward(tape, Tensor.of(x))),
                      unit.forward(tape, texts.forward(tape, Tensor.of(x)))));
        });
  }

  private void addTapes() {
    add("several ways back", SeveralWaysBack::new);
    add("a tape that is watched", Watched::new);
    add("gradients of two batches, clipped", Accumulated::new);
    add(
        "a gradient that is not finite",
        () -> {
          Linear good = new Linear("good", WIDTH, 2, Precision.FLOAT32, random);
          Parameter bad = Parameter.vector("bad", 1, 2);
          return new SmallTraining(
              Tape.recording(kernels.withNonFinite(NonFinitePolicy.PROPAGATE)),
              Model.concat(good.parameters(), List.of(bad)),
              tape -> {
                bad.grad().set(0, 1, Float.NaN);
                return squaredError(tape, good.forward(tape, Tensor.of(x)));
              });
        });
    add("tapes that share their storage", Sharing::new);
  }

  private Linear layer(int seed) {
    return new Linear("layer" + seed, WIDTH, WIDTH, Precision.FLOAT32, random.split(seed));
  }

  /** Three layers with the caller's own code between them, and one of the caller's own. */
  private final class SeveralWaysBack extends SmallTraining {
    private final Linear below;
    private final Linear above;
    private final Linear beside;

    SeveralWaysBack() {
      this(layer(1), layer(2), layer(3));
    }

    private SeveralWaysBack(Linear below, Linear above, Linear beside) {
      super(
          Tape.recording(kernels),
          Model.concat(below.parameters(), above.parameters(), beside.parameters()),
          tape -> null);
      this.below = below;
      this.above = above;
      this.beside = beside;
    }

    @Override
    protected void goBack() {
      Tensor hidden = below.forward(tape, Tensor.of(x));
      Tensor between = Tensor.withGrad(hidden.value().copy());
      Tensor y = tape.add(own(between), above.forward(tape, between));
      Tensor z = beside.forward(tape, between);
      tape.backward(List.of(y, z), List.of(x, x));
      tape.backward(hidden, between.grad());
    }

    /** Every second row, and noise. */
    private Tensor own(Tensor in) {
      FloatMatrix y = tape.result(in.rows(), in.cols());
      int[] rows = tape.indices(2);
      rows[0] = 0;
      rows[1] = 2;
      long key = tape.draw(random);
      FloatMatrix scratch = tape.take(1, in.cols());
      tape.timed(
          Profile.Part.ROUTE,
          () -> {
            in.value().copyTo(y);
            y.set(0, 0, CounterRandom.gaussian(key, 0));
          });
      tape.giveBack(scratch);
      QuantizedMatrix quantized = new QuantizedMatrix(Scaling.ROW);
      kernels.quantize(in.value(), quantized);
      return tape.node(y)
          .from(in)
          .keeps(in.value(), quantized)
          .backward(
              (gy, kept) -> {
                tape.addGradRows(in, rows, gy.rowRange(0, 2));
                FloatMatrix more = tape.take(gy.rows(), gy.cols());
                kept.floats(0).copyTo(more);
                more.set(0, 0, ((QuantizedMatrix) kept.matrix(kept.count() - 1)).get(0, 0));
                tape.addGrad(in, more);
                tape.passOn(in);
              });
    }
  }

  /** Every question that can be asked of a tape. */
  private final class Watched extends SmallTraining {
    private final Linear below;
    private final Linear above;
    private final long[] seen = new long[4];

    Watched() {
      this(layer(1), layer(2), new Profile());
    }

    private Watched(Linear below, Linear above, Profile profile) {
      super(
          Tape.recording(kernels, profile),
          Model.concat(below.parameters(), above.parameters()),
          tape -> null);
      this.below = below;
      this.above = above;
      tape.watch(
          (layer, in) -> {
            seen[0]++;
            return gy -> seen[1]++;
          });
      tape.whenComplete(parameter -> seen[2]++);
    }

    @Override
    protected void goBack() {
      Tensor hidden = below.forward(tape, Tensor.of(x));
      Tensor y = above.forward(tape, hidden);
      tape.release(hidden);
      seen[3] = tape.bytesHeld() + tape.bytesForBackward() + (tape.isRepeating() ? 1 : 0);
      tape.backward(y, x);
    }

    @Override
    public String complaint() {
      return seen[0] < 2 || seen[1] < 2 || seen[2] < 2 || seen[3] == 0 ? "not all is told" : null;
    }
  }

  /** Two batches a step, clipped, checked and monitored. */
  private final class Accumulated extends SmallTraining {
    private final Linear layer;

    Accumulated() {
      this(layer(1));
    }

    private Accumulated(Linear layer) {
      super(
          Tape.recording(kernels),
          layer.parameters(),
          tape -> squaredError(tape, layer.forward(tape, Tensor.of(x))),
          StepFaultCases.this::stableAdamW);
      this.layer = layer;
      optimizer.setMonitor(
          new StabilityMonitor(measurement -> {}, warning -> {}, LossSpikes.Settings.DEFAULT));
    }

    @Override
    protected void goBack() {
      super.goBack();
      tape.reset();
      super.goBack();
    }

    @Override
    protected void update() {
      FiniteGradients.require(kernels, layer.parameters());
      GradientClipping.clip(kernels, layer.parameters(), 0.01f);
      super.update();
    }
  }

  /** A tape that goes back in turns with another, which has its storage. */
  private final class Sharing extends SmallTraining {
    private final Linear second = layer(2);
    private final Tape other = Tape.sharing(tape, new Profile());
    private float[] expected;
    private boolean differs;

    Sharing() {
      this(layer(1));
    }

    private Sharing(Linear first) {
      super(
          Tape.recording(kernels),
          first.parameters(),
          tape -> squaredError(tape, first.forward(tape, Tensor.of(x))));
    }

    @Override
    protected void goBack() {
      other.backward(squaredError(other, second.forward(other, Tensor.of(x))));
      float[] gradient = second.parameters().getFirst().grad().data().clone();
      expected = expected == null ? gradient : expected;
      differs |= !Arrays.equals(expected, gradient);
      endOther();
      super.goBack();
    }

    private void endOther() {
      second.parameters().forEach(Parameter::zeroGrad);
      other.reset();
    }

    @Override
    public void abandon() {
      endOther();
      super.abandon();
    }

    @Override
    public String complaint() {
      return differs ? "the other tape gives other gradients" : null;
    }
  }
}
