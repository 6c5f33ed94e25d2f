package dev.switchyard.bench.soak;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SequenceLayer;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.coda.Gate;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.RouterKind;
import dev.switchyard.layers.coda.SoftTopK;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * A small model and the batch that it learns by heart.
 *
 * @param description its shape and options, for people
 * @param parts what it consists of
 * @param output from a tape to what the model computes of the batch
 * @param loss of the output
 * @param chosen the rows that routers chose in the last pass, one router after the other
 */
record SoakModel(
    String description,
    List<Model> parts,
    Function<Tape, Tensor> output,
    BiFunction<Tape, Tensor, Tensor> loss,
    List<Integer> chosen)
    implements Model {

  /** What is drawn. */
  enum Kind {
    /** Linear layers with activations between. */
    LINEAR {
      @Override
      SoakModel draw(Draw draw, Precision precision) {
        return linear(draw, precision);
      }
    },

    /** Transformer blocks and a head. */
    TRANSFORMER {
      @Override
      SoakModel draw(Draw draw, Precision precision) {
        return transformer(draw, precision);
      }
    },

    /** A conditional adapter over a transformer block, and a head. */
    CODA {
      @Override
      SoakModel draw(Draw draw, Precision precision) {
        return coda(draw, precision);
      }
    };

    abstract SoakModel draw(Draw draw, Precision precision);
  }

  private static SoakModel linear(Draw draw, Precision precision) {
    int rows = draw.size(300);
    int features = draw.size(200);
    FloatMatrix batch = draw.batch(rows, features);
    StringBuilder shape = new StringBuilder(rows + " rows, " + features);
    List<Model> layers = new ArrayList<>();
    for (int depth = draw.between(1, 3); depth > 0; depth--) {
      int out = draw.size(200);
      layers.add(layer("layer" + depth, features, out, precision, draw));
      shape.append(" to ").append(out);
      features = out;
    }
    FloatMatrix target = draw.batch(rows, features);
    Gelu gelu = new Gelu();
    return new SoakModel(
        shape.toString(),
        layers,
        tape -> {
          Tensor y = Tensor.of(batch);
          for (int i = 0; i < layers.size(); i++) {
            y = ((Linear) layers.get(i)).forward(tape, i == 0 ? y : gelu.forward(tape, y));
          }
          return y;
        },
        (tape, y) -> new MeanSquaredError().forward(tape, y, target),
        List.of());
  }

  /** With or without a bias; SwitchBack with either type of weight gradient. */
  private static Linear layer(String name, int in, int out, Precision precision, Draw draw) {
    Linear like = new Linear(name, in, out, precision, draw.generator());
    Parameter weight = like.parameters().get(0);
    Parameter bias = draw.oneIn(4) ? null : like.parameters().get(1);
    boolean hasChoice =
        precision.allowsWeightGradient(ElementType.FLOAT32)
            && precision.allowsWeightGradient(ElementType.BFLOAT16);
    return hasChoice
        ? Linear.of(weight)
            .bias(bias)
            .precision(precision)
            .weightGradient(draw.of(ElementType.FLOAT32, ElementType.BFLOAT16))
            .build()
        : Linear.of(weight).bias(bias).precision(precision).build();
  }

  private static SoakModel transformer(Draw draw, Precision precision) {
    BlockOptions options = options(draw, precision);
    options = draw.oneIn(3) ? options.withCausalAttention() : options;
    options = draw.oneIn(4) ? options.withStochasticDepth(0.3f) : options;
    options = draw.oneIn(3) ? options.withRecompute() : options;
    int depth = draw.between(1, 2);
    Transformer blocks = new Transformer("blocks", depth, options, draw.generator());
    return sequences(depth + " of " + options, blocks, options.features(), List.of(), draw);
  }

  private static SoakModel coda(Draw draw, Precision precision) {
    BlockOptions options = options(draw, precision);
    TransformerBlock block = new TransformerBlock("block", options, draw.generator());
    CodaOptions coda =
        CodaOptions.of(draw.of(1.0, 1.05, 2.0, 3.0, 5.0), precision)
            .withRouter(draw.of(RouterKind.values()))
            .withAttention(draw.of(HeavyAttention.values()))
            .withGate(draw.of(Gate.values()), SoftTopK.exact(draw.of(0.1, 1.0)))
            .withAdapter(draw.size(33), draw.of(1f, 0.5f), draw.oneIn(2), draw.of(0f, 0.1f));
    ConditionalAdapter adapter = new ConditionalAdapter("coda", block, coda, draw.generator());
    adapter.setBaseFrozen(draw.oneIn(2));
    List<Integer> chosen = new ArrayList<>();
    adapter.observe(
        selection -> {
          for (int j = 0; j < selection.chosen().tokens(); j++) {
            chosen.add(selection.row(j));
          }
        });
    return sequences(options + ", " + coda, adapter, options.features(), chosen, draw);
  }

  /** Four features at least: layer norm of fewer is constant, and its gradient rounding alone. */
  private static BlockOptions options(Draw draw, Precision precision) {
    int heads = draw.between(1, 4);
    int features = heads * Math.max(5 - heads, draw.size(128) / heads);
    BlockOptions options = BlockOptions.of(features, heads, precision).withHidden(draw.size(130));
    options = draw.oneIn(4) ? options.withLayerScale(0.1f) : options;
    return draw.oneIn(4) ? options.withDropout(0.1f) : options;
  }

  private static SoakModel sequences(
      String description, SequenceLayer layer, int features, List<Integer> chosen, Draw draw) {
    int[] lengths = new int[draw.between(1, 5)];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = draw.size(draw.of(17, 17, 130));
    }
    Sequences sequences = Sequences.ofLengths(lengths);
    FloatMatrix batch = draw.batch(sequences.tokens(), features);
    int classes = draw.between(2, 9);
    SequenceHead head =
        SequenceHead.scores("head", features, classes, draw.of(Pooling.values()), draw.generator());
    int[] labels = new int[lengths.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = draw.between(0, classes - 1);
    }
    return new SoakModel(
        String.format(Locale.ROOT, "%s over %s, %d classes", description, sequences, classes),
        List.of(layer, head),
        tape -> head.forward(tape, layer.forward(tape, Tensor.of(batch), sequences), sequences),
        (tape, y) -> new CrossEntropy().forward(tape, y, labels),
        chosen);
  }

  /** Empties the list of chosen rows, if there are routers to fill it. */
  void forgetChosen() {
    if (!chosen.isEmpty()) {
      chosen.clear();
    }
  }

  /** In one row. */
  FloatMatrix chosenRows() {
    FloatMatrix row = FloatMatrix.allocate(1, chosen.size());
    for (int j = 0; j < chosen.size(); j++) {
      row.set(0, j, chosen.get(j));
    }
    return row;
  }

  /** Off zero and one, where parameters begin and mistakes can hide. */
  void disturb(CounterRandom random) {
    long key = random.key(0);
    int index = 0;
    for (Parameter parameter : parameters()) {
      float[] values = parameter.value().data();
      for (int i = 0; i < values.length; i++) {
        values[i] += 0.05f * CounterRandom.gaussian(key, index++);
      }
      parameter.markChanged();
    }
  }
}
