package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.VisionTransformer;
import java.util.List;

/** Which of ten kinds of clothing an image shows, by the scores of a vision transformer. */
final class Classification implements TrainingTask {
  private final TrainOptions options;
  private final FashionMnist images;
  private final Normalization normalization;

  Classification(TrainOptions options, FashionMnist images) {
    this.options = options;
    this.images = images;
    this.normalization = images.training().normalization();
  }

  @Override
  public int examples() {
    return images.training().count();
  }

  @Override
  public String accuracyName() {
    return "test accuracy";
  }

  @Override
  public Learner model(Precision precision) {
    CounterRandom random = new CounterRandom(options.seed());
    int classes = images.training().classes();
    SequenceHead head =
        SequenceHead.scores("head", options.width(), classes, Pooling.MEAN, random.split(1));
    return new Classifier(ImageTower.of("", options, images.training(), head, precision, random));
  }

  private final class Classifier implements Learner {
    private final VisionTransformer scores;
    private final CrossEntropy crossEntropy = new CrossEntropy();
    private final ImageBatches batches = new ImageBatches(images.training(), normalization);

    Classifier(VisionTransformer scores) {
      this.scores = scores;
    }

    @Override
    public List<Parameter> parameters() {
      return scores.parameters();
    }

    @Override
    public Tensor loss(Tape tape, int epoch, int[] order, int from, int count) {
      ImageBatch batch = batches.gather(order, from, count);
      return crossEntropy.forward(tape, scores.forward(tape, batch.tensor()), batch.labels());
    }

    @Override
    public boolean seesWholeBatch() {
      return false;
    }

    @Override
    public List<Integer> mistakes(Kernels kernels) {
      Tape tape = Tape.inference(kernels);
      return ImageBatch.mistakes(
          images.test(),
          normalization,
          options.batch(),
          x -> {
            tape.reset();
            return scores.forward(tape, x).value();
          });
    }
  }
}
