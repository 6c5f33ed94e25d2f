package dev.switchyard.bench.train;

import dev.switchyard.bench.data.FashionMnist;
import dev.switchyard.bench.data.Normalization;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import dev.switchyard.layers.embedding.Positions;
import dev.switchyard.layers.embedding.TokenEmbedding;
import dev.switchyard.layers.loss.ContrastiveLoss;
import dev.switchyard.layers.model.Pooling;
import dev.switchyard.layers.model.SequenceHead;
import dev.switchyard.layers.model.TextTransformer;
import dev.switchyard.layers.model.VisionTransformer;
import dev.switchyard.layers.norm.L2Normalization;
import dev.switchyard.mpi.Collective;
import dev.switchyard.mpi.GatheredRows;
import dev.switchyard.mpi.SingleProcess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Images and texts in one space (CLIP, Radford et al. 2021): a vision transformer and a causal text
 * transformer learn which text belongs to which image of a batch. Nobody tells them what the
 * classes are. They are judged by classification all the same: the class of an image is the one
 * whose prompts lie closest to it.
 */
final class ImagesAndTexts implements TrainingTask {
  private static final int EMBEDDING = 64;
  private static final int TEXTS = -2; // purpose of random draws; -1 is the order of examples

  private final TrainOptions options;
  private final FashionMnist images;
  private final Normalization normalization;
  private final Captions captions = new Captions();
  private final GatheredRows ofAll; // each image finds its text among those of all processes

  ImagesAndTexts(TrainOptions options, FashionMnist images, Collective collective) {
    this.options = options;
    this.ofAll =
        new GatheredRows(options.sharing().seesWholeBatch() ? collective : new SingleProcess());
    this.images = images;
    this.normalization = images.training().normalization();
  }

  @Override
  public int examples() {
    return images.training().count();
  }

  @Override
  public String accuracyName() {
    return "zero-shot accuracy";
  }

  @Override
  public Learner model(Precision precision) {
    CounterRandom random = new CounterRandom(options.seed());
    int width = options.width();
    SequenceHead imageHead =
        SequenceHead.embedding("image.head", width, EMBEDDING, Pooling.MEAN, random.split(1));
    CounterRandom ofText = random.split(3);
    BlockOptions blocks = BlockOptions.of(width, options.heads(), precision).withCausalAttention();
    TextTransformer texts =
        new TextTransformer(
            new TokenEmbedding("text.embedding", captions.vocabulary(), width, ofText.split(0)),
            Positions.learned("text.positions", captions.longest(), width, ofText.split(1)),
            new Transformer("text", Math.ceilDiv(options.depth(), 2), blocks, ofText.split(2)),
            SequenceHead.embedding("text.head", width, EMBEDDING, Pooling.LAST, ofText.split(3)));
    return new Towers(
        ImageTower.of("image.", options, images.training(), imageHead, precision, random), texts);
  }

  private final class Towers implements Learner {
    private final VisionTransformer ofImages;
    private final TextTransformer ofTexts;
    private final ContrastiveLoss contrastive = new ContrastiveLoss("loss");
    private final L2Normalization unit = new L2Normalization();
    private final CounterRandom random = new CounterRandom(options.seed()).split(TEXTS);
    private final ImageBatches batches = new ImageBatches(images.training(), normalization);

    Towers(VisionTransformer ofImages, TextTransformer ofTexts) {
      this.ofImages = ofImages;
      this.ofTexts = ofTexts;
    }

    @Override
    public List<Parameter> parameters() {
      return Model.concat(ofImages.parameters(), ofTexts.parameters(), contrastive.parameters());
    }

    @Override
    public Tensor loss(Tape tape, int epoch, int[] order, int from, int count) {
      ImageBatch batch = batches.gather(order, from, count);
      long key = random.key(epoch);
      List<int[]> texts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        texts.add(captions.draw(batch.labels()[i], key, order[from + i]));
      }
      return contrastive.forward(
          tape,
          ofAll.forward(tape, ofImages.forward(tape, batch.tensor())),
          ofAll.forward(tape, embedded(tape, texts)));
    }

    @Override
    public boolean seesWholeBatch() {
      return options.sharing().seesWholeBatch();
    }

    private Tensor embedded(Tape tape, List<int[]> texts) {
      Sequences sequences =
          Sequences.ofLengths(texts.stream().mapToInt(text -> text.length).toArray());
      int[] ids = texts.stream().flatMapToInt(Arrays::stream).toArray();
      return ofTexts.forward(tape, ids, sequences);
    }

    @Override
    public List<Integer> mistakes(Kernels kernels) {
      FloatMatrix classes = classes(Tape.none(kernels));
      Tape tape = Tape.inference(kernels);
      return ImageBatch.mistakes(
          images.test(),
          normalization,
          options.batch(),
          x -> {
            tape.reset();
            FloatMatrix embedded = ofImages.forward(tape, x).value();
            FloatMatrix scores = FloatMatrix.allocate(embedded.rows(), classes.rows());
            kernels.multiply(
                ElementType.FLOAT32, Form.NT, embedded, classes, Epilogue.STORE, scores);
            return scores;
          });
    }

    /** For each class the mean direction of its prompts. */
    private FloatMatrix classes(Tape tape) {
      List<int[]> prompts = new ArrayList<>();
      int[] lengths = new int[images.test().classes()];
      for (int label = 0; label < lengths.length; label++) {
        prompts.addAll(captions.prompts(label));
        lengths[label] = captions.prompts(label).size();
      }
      Tensor directions = unit.forward(tape, embedded(tape, prompts));
      Tensor means = Pooling.MEAN.forward(tape, directions, Sequences.ofLengths(lengths));
      return unit.forward(tape, means).value();
    }
  }
}
