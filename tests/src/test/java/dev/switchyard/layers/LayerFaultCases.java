package dev.switchyard.layers;

import dev.switchyard.encoders.EncoderFaultCases;
import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.activation.Relu;
import dev.switchyard.layers.activation.Silu;
import dev.switchyard.layers.activation.Softplus;
import dev.switchyard.layers.activation.Tanh;
import dev.switchyard.layers.attention.SelfAttention;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Dropout;
import dev.switchyard.layers.block.FeedForward;
import dev.switchyard.layers.block.PostNormBlock;
import dev.switchyard.layers.block.Sequential;
import dev.switchyard.layers.block.StochasticDepth;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.coda.CodaFaultCases;
import dev.switchyard.layers.embedding.ImageShape;
import dev.switchyard.layers.embedding.PatchEmbedding;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.io.FileFaultCases;
import dev.switchyard.layers.loss.BinaryCrossEntropy;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import dev.switchyard.layers.model.VisionTransformer;
import dev.switchyard.layers.norm.L2Normalization;
import dev.switchyard.layers.norm.LayerNorm;
import dev.switchyard.layers.norm.LayerScale;
import dev.switchyard.layers.norm.RmsNorm;
import dev.switchyard.layers.optim.OptimizerFaultCases;
import dev.switchyard.layers.training.TrainerFaultCases;
import dev.switchyard.mpi.ExchangeFaultCases;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** All cases of layers, on the backend that is chosen for the processor. */
public final class LayerFaultCases implements FaultCases {
  private final Kernels kernels = Kernels.create(Parallel.serial());
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  @Override
  public Map<String, FaultCase> cases() {
    cases.putAll(new StepFaultCases(kernels).cases());
    cases.putAll(new PrecisionFaultCases(kernels).cases());
    cases.putAll(new CodaFaultCases(kernels).cases());
    cases.putAll(new OptimizerFaultCases(kernels).cases());
    cases.putAll(new FileFaultCases(kernels).cases());
    cases.putAll(new ExchangeFaultCases(kernels).cases());
    cases.putAll(new TrainerFaultCases(kernels).cases());
    cases.putAll(new EncoderFaultCases(kernels).cases());
    addInference();
    addParts();
    return cases;
  }

  private void add(String name, Callable<?> call) {
    cases.put(name, new RepeatedCall(call));
  }

  private void addInference() {
    FloatMatrix x = Fixtures.gaussian(3, 4, 2);
    Linear layer = new Linear("layer", 4, 4, Precision.SWITCHBACK, Fixtures.RANDOM);
    Tape tape = Tape.inference(kernels);
    Profile profile = new Profile();
    add(
        "inference again and again",
        () -> {
          tape.reset();
          return layer.forward(tape, Tensor.of(x)).value().toArray();
        });
    add(
        "inference now and then",
        () -> layer.forward(Tape.none(kernels), Tensor.of(x)).value().toArray());
    add(
        "inference that is measured",
        () -> {
          profile.clear();
          Tensor y = layer.forward(Tape.inference(kernels, profile), Tensor.of(x));
          profile.measure(Profile.Part.OPTIMIZER, () -> {});
          boolean measured =
              profile.nanos(Profile.Part.MULTIPLY) + profile.restNanos(Long.MAX_VALUE) > 0;
          return new Object[] {y.value().toArray(), measured};
        });
    add(
        "tapes of every kind",
        () -> {
          Tape first = Tape.recording(kernels, profile);
          first.watch((watched, in) -> null);
          first.whenComplete(parameter -> {});
          return List.of(first, Tape.sharing(first, profile), Tape.inference(kernels)).stream()
              .map(Tape::isRecording)
              .toArray();
        });
    add(
        "resuming",
        () -> {
          Tape resumed = Tape.recording(kernels);
          resumed.requireResumable(6);
          resumed.resumeAfter(7);
          return resumed.draw(Fixtures.RANDOM);
        });
  }

  /** What models tell of themselves, and how they are made of one another. */
  private void addParts() {
    CounterRandom random = new CounterRandom(3);
    BlockOptions options = BlockOptions.of(4, 2, Precision.FLOAT32);
    TransformerBlock block = new TransformerBlock("block", options, random);
    PostNormBlock later = new PostNormBlock("later", 4, 2, 4, Precision.FLOAT32, random);
    SelfAttention attention = new SelfAttention("attention", 4, 2, Precision.FLOAT32, random);
    TokenEmbedding tokens = new TokenEmbedding("tokens", 5, 4, random);
    List<Model> models =
        List.of(
            new ContrastiveLoss("loss"),
            new Dropout(0.1f, random),
            new FeedForward("f", 4, 4, Precision.FLOAT32, random),
            new Gelu(),
            new Relu(),
            new Silu(),
            new Softplus(),
            new Tanh(),
            new L2Normalization(),
            new LayerNorm("norm", 4),
            new LayerScale("scale", 4),
            new RmsNorm("rms", 4),
            new Linear("linear", 4, 4, Precision.FLOAT32, random),
            new PatchEmbedding("patches", new ImageShape(1, 2, 2), 1, 4, Precision.FLOAT32, random),
            Pooling.MEAN,
            Positions.learned("positions", 3, 4, random),
            later,
            new Recomputed(block),
            attention,
            SequenceHead.scores("head", 4, 2, Pooling.MEAN, random),
            new Sequential(new Gelu(), new LayerNorm("norm", 4)),
            new StochasticDepth(0.1f, random),
            new TextTransformer(
                tokens,
                Positions.sinusoidal(3, 4),
                new Transformer("blocks", 1, options, random),
                SequenceHead.embedding("head", 4, 2, Pooling.MEAN, random)),
            tokens,
            block,
            new VisionTransformer(
                new PatchEmbedding(
                    "patches", new ImageShape(1, 2, 2), 1, 4, Precision.FLOAT32, random),
                new Transformer("blocks", 1, options, random),
                SequenceHead.scores("head", 4, 2, Pooling.MEAN, random)));
    add(
        "parts of models",
        () ->
            models.stream()
                .flatMap(model -> model.parameters().stream().map(Parameter::name))
                .toArray());
    add("summaries", () -> models.stream().map(Model::summary).toArray());
    add(
        "a layer of others",
        () ->
            new Sequential(new LayerNorm("norm", 4), new Sequential(List.of(new Gelu())))
                .forward(Tape.recording(kernels), Tensor.of(Fixtures.gaussian(3, 4, 2)))
                .value()
                .toArray());
    Parameter square = new Parameter("square", Fixtures.gaussian(4, 4, 3), true);
    add(
        "activations and tensors",
        () -> {
          Tape tape = Tape.recording(kernels);
          Tensor in = Tensor.withGrad(Fixtures.gaussian(3, 4, 2));
          Tensor y =
              new Sequential(
                      new RmsNorm("rms", 4), new Relu(), new Silu(), new Softplus(), new Tanh())
                  .forward(tape, in);
          Tensor z = Tensors.scale(tape, Tensors.mul(tape, y, in), 2);
          FloatMatrix half = FloatMatrix.allocate(3, 8);
          tape.backward(new BinaryCrossEntropy().forward(tape, Tensors.concat(tape, z, y), half));
          return in.grad().toArray();
        });
    add("an image", () -> new ImageShape(2, 3, 4).elements());
    add(
        "layers that are built",
        () ->
            new Object[] {
              Linear.of(square)
                  .bias(Parameter.vector("b", 1, 2, 3, 4))
                  .precision(Precision.SWITCHBACK)
                  .weightGradient(ElementType.FLOAT32)
                  .build()
                  .precision(),
              Linear.of(square).gradients(Precision.SWITCHBACK, Precision.BFLOAT16).build().name(),
              Linear.of(square)
                  .products(new Precision.Products(Precision.BFLOAT16, ElementType.BFLOAT16))
                  .build()
                  .summary()
            });
    add("layers of models", () -> models.stream().mapToInt(m -> m.linears().size()).toArray());
    add(
        "blocks of others",
        () ->
            new Object[] {
              block.withOwnNorms().withSeparateQueries().parameters().size(),
              later.withOwnNorms().withSeparateQueries().parameters().size(),
              attention.separateQueries().parameters().size(),
              block.norms().size() + later.norms().size(),
              block.isCausal() || later.isCausal() || attention.isCausal()
            });
    Sequences sequences = Sequences.ofLengths(3);
    SelfAttention separate = attention.separateQueries();
    Tensor x = Tensor.of(Fixtures.gaussian(3, 4, 2));
    add(
        "attention to others",
        () ->
            separate
                .forward(Tape.none(kernels), x, sequences, x, sequences, null)
                .value()
                .toArray());
    Transformer blocks = new Transformer(List.of(later));
    add(
        "given blocks after a sum of embeddings",
        () -> {
          Tape tape = Tape.none(kernels);
          List<int[]> ids = List.of(new int[] {0, 4, 1}, new int[3]);
          Tensor sum = TokenEmbedding.sum(tape, List.of(tokens, tokens), ids);
          return blocks.forward(tape, sum, sequences).value().toArray();
        });
    add(
        "layers and losses of some kind",
        () ->
            new Object[] {
              new CrossEntropy().withIgnored(1).withClassWeights(1, 2).getClass().getSimpleName(),
              Positions.learned("p", 2, 4, random).parameters().size(),
              Positions.sinusoidal(2, 4).parameters().size(),
              SequenceHead.scores("s", 4, 2, Pooling.MEAN, random).parameters().size(),
              SequenceHead.embedding("s", 4, 2, Pooling.MEAN, random).parameters().size(),
              new Linear("l", 4, 4, Precision.BFLOAT16, random).precision()
            });
    add(
        "a parameter",
        () -> {
          Parameter parameter = new Parameter("p", FloatMatrix.allocate(2, 3), true);
          parameter.markChanged();
          parameter.setFrozen(true);
          parameter.zeroGrad();
          parameter.assign(Fixtures.gaussian(2, 3, 1));
          return new Object[] {
            parameter.value().toArray(), parameter.grad().toArray(), parameter.version()
          };
        });
    add("a loss's scale", () -> new ContrastiveLoss("loss").scale());
    add(
        "a policy",
        () -> {
          Conversion conversion =
              Precisions.convert(
                  new Linear("a", 4, 4, Precision.FLOAT32, random),
                  PrecisionPolicy.to(Precision.SWITCHBACK)
                      .withWeightGradient(ElementType.BFLOAT16)
                      .including("a*")
                      .excluding("b")
                      .withSmallest(1));
          return conversion.converted().toString() + conversion.left();
        });
  }
}
