package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.bench.measuring.Measuring;
import dev.switchyard.bench.measuring.PeerTransformer;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The same training by PyTorch: the same initial weights, batches, learning rates and optimizer. It
 * is not kept on disk.
 */
final class TorchTraining implements Training {
  private final String name;
  private final PeerTransformer model;
  private final FashionMnist images;
  private final Normalization normalization;
  private final ImageBatch batch;
  private final List<Double> losses = new ArrayList<>();

  /**
   * A training from the beginning.
   *
   * @param measuring has PyTorch
   * @param autocast whether products are in bfloat16
   * @param parameters the initial weights, copied
   * @throws IllegalStateException if PyTorch does not load here
   */
  TorchTraining(
      Measuring measuring,
      boolean autocast,
      TrainOptions options,
      FashionMnist images,
      List<Parameter> parameters) {
    this.name = autocast ? "PYTORCH_AUTOCAST" : "PYTORCH_FLOAT32";
    this.images = images;
    this.normalization = images.training().normalization();
    this.batch = new ImageBatch(images.training(), normalization, options.batch());
    this.model =
        measuring.pyTorch(
            new PeerTransformer.Shape(
                images.training().rows(),
                ImageTower.PATCH,
                options.width(),
                options.depth(),
                options.heads()),
            parameters,
            OptimizerName.ADAMW_SETTINGS,
            autocast,
            options.threads());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<Double> losses() {
    return losses;
  }

  @Override
  public double step(int epoch, int[] order, int from, float rate) {
    batch.gather(order, from);
    return model.step(batch.tensor().value().data(), batch.labels(), rate);
  }

  @Override
  public void startTiming() {}

  @Override
  public Map<String, Double> partsMillis(long nanos, int steps) {
    return Map.of();
  }

  @Override
  public boolean isSaveDue(int step, int stepsAnEpoch) {
    return false;
  }

  @Override
  public boolean canSave() {
    return true;
  }

  @Override
  public void save(int stepsAnEpoch) {}

  @Override
  public void finish(TrainingResult result) {}

  @Override
  public Map<String, Object> exchangeCosts() {
    return Map.of();
  }

  @Override
  public List<Integer> mistakes() {
    return ImageBatch.mistakes(
        images.test(),
        normalization,
        batch.labels().length,
        x -> {
          float[] scores = model.scores(x.value().data(), x.rows());
          return FloatMatrix.of(scores, x.rows(), scores.length / x.rows());
        });
  }
}
