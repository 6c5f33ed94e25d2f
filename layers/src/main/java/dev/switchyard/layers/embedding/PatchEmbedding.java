package dev.switchyard.layers.embedding;

import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Layer;
import dev.switchyard.layers.Linear;
import dev.switchyard.layers.Model;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.List;
import java.util.Locale;

/**
 * Turns images into sequences of tokens (Dosovitskiy et al. 2021, equation 1, without the class
 * token): cuts each into square patches, projects the pixels of each patch, and adds what is
 * learned about the patch's position.
 *
 * <pre>
 *   y_p = W pixels_p + b + position_p
 * </pre>
 *
 * An image is a row of {@link ImageShape#elements()}. Its patches follow each other from left to
 * right and from top to bottom.
 */
public final class PatchEmbedding implements Layer {
  private final ImageShape image;
  private final int patch;
  private final Linear projection;
  private final Positions positions;

  /**
   * An embedding with random weights as in {@link Linear} and positions that are normal with
   * standard deviation 0.02.
   *
   * @param name prefix of the parameters' names
   * @param image the shape of an image
   * @param patch rows and columns of a patch
   * @param features columns of the output
   * @param precision of the projection
   * @param random where the weights come from: a {@linkplain CounterRandom#split split} for it
   *     alone, as the same generator gives two layers the same numbers
   * @throws IllegalArgumentException if patches do not cover the image exactly
   */
  public PatchEmbedding(
      String name,
      ImageShape image,
      int patch,
      int features,
      Precision precision,
      CounterRandom random) {
    if (patch < 1 || image.height() % patch != 0 || image.width() % patch != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "image is %dx%d but a patch is %dx%d (expected patches that cover the image exactly)",
              image.height(),
              image.width(),
              patch,
              patch));
    }
    this.image = image;
    this.patch = patch;
    this.projection =
        new Linear(name + ".projection", elementsOfPatch(), features, precision, random.split(0));
    this.positions = Positions.learned(name + ".positions", patches(), features, random.split(1));
  }

  private int patches() {
    return image.height() / patch * (image.width() / patch);
  }

  private int elementsOfPatch() {
    return image.channels() * patch * patch;
  }

  /**
   * The sequences that this layer makes.
   *
   * @param images how many images
   * @return one sequence an image
   */
  public Sequences sequences(int images) {
    return Sequences.uniform(images, patches());
  }

  // x [images, channels height width] -> [images patches, channels patch patch]
  //   -> y [images patches, features]
  @Override
  public Tensor forward(Tape tape, Tensor x) {
    if (x.cols() != image.elements()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "images are %dx%dx%d but input has %d features (expected %d)",
              image.channels(),
              image.height(),
              image.width(),
              x.cols(),
              image.elements()));
    }
    Tensor patches = cut(tape, x);
    Tensor projected = projection.forward(tape, patches);
    tape.release(patches);
    Tensor y = positions.forward(tape, projected, sequences(x.rows()));
    tape.release(projected);
    return y;
  }

  // x [images, channels height width] -> y [images patches, channels patch patch]
  private Tensor cut(Tape tape, Tensor x) {
    FloatMatrix y = tape.result(x.rows() * patches(), elementsOfPatch());
    rearrange(tape, x.value(), y, true);
    return tape.node(y)
        .from(x)
        .backward(
            (gy, kept) -> {
              FloatMatrix gx = tape.take(x.rows(), x.cols());
              rearrange(tape, gx, gy, false);
              tape.addGrad(x, gx);
            });
  }

  /** Each run of pixels that is contiguous in both is copied from images to patches, or back. */
  private void rearrange(Tape tape, FloatMatrix images, FloatMatrix patches, boolean cut) {
    tape.kernels()
        .parallel()
        .forEach(
            images.rows(),
            of -> {
              int pixel = images.rowIndex(of);
              for (int c = 0; c < image.channels(); c++) {
                for (int i = 0; i < image.height(); i++) {
                  for (int j = 0; j < image.width(); j += patch) {
                    int row = of * patches() + i / patch * (image.width() / patch) + j / patch;
                    int inPatch = patches.rowIndex(row) + (c * patch + i % patch) * patch;
                    if (cut) {
                      System.arraycopy(images.data(), pixel, patches.data(), inPatch, patch);
                    } else {
                      System.arraycopy(patches.data(), inPatch, images.data(), pixel, patch);
                    }
                    pixel += patch;
                  }
                }
              }
            });
  }

  @Override
  public List<? extends Model> parts() {
    return List.of(projection, positions);
  }
}
