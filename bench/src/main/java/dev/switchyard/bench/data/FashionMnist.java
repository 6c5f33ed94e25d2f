package dev.switchyard.bench.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Fashion-MNIST: grey images of clothing, 28x28 pixels, in ten classes.
 *
 * @param training the images to learn from
 * @param test the images to be judged by
 */
public record FashionMnist(ImageDataset training, ImageDataset test) {
  /** What each class shows, in the order of the labels. */
  public static final List<String> CLASS_NAMES =
      List.of(
          "T-shirt/top",
          "Trouser",
          "Pullover",
          "Dress",
          "Coat",
          "Sandal",
          "Shirt",
          "Sneaker",
          "Bag",
          "Ankle boot");

  private static final int SIDE = 28;

  /**
   * The part that comes with this program: 12,000 training and 2,000 test images, as many of each
   * class. The README beside the files says how they were chosen.
   */
  public static FashionMnist shipped() {
    return load(FashionMnist::readShipped);
  }

  /**
   * The four IDX files in a folder, under their standard names, with or without {@code .gz}.
   *
   * @throws DataException if a file is missing, truncated, corrupt, or does not fit the others
   */
  public static FashionMnist load(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s is not a folder (expected one that holds the Fashion-MNIST files)",
              folder));
    }
    return load((name, rank) -> readFrom(folder, name, rank));
  }

  private static FashionMnist load(Source source) {
    return new FashionMnist(load(source, "train"), load(source, "t10k"));
  }

  private static ImageDataset load(Source source, String part) {
    IdxFile images = source.read(part + "-images-idx3-ubyte", 3);
    if (images.length(1) != SIDE || images.length(2) != SIDE) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s holds images of %dx%d pixels (expected %dx%d)",
              images.name(),
              images.length(1),
              images.length(2),
              SIDE,
              SIDE));
    }
    IdxFile labels = source.read(part + "-labels-idx1-ubyte", 1);
    return ImageDataset.of(images, labels, CLASS_NAMES.size());
  }

  private static IdxFile readShipped(String name, int rank) {
    String resource = "fashion-mnist/" + name + ".gz";
    try (InputStream in = FashionMnist.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s is missing from this program (expected it among its resources)",
                resource));
      }
      return IdxFile.read(resource, in, rank);
    } catch (IOException e) {
      throw new UncheckedIOException(resource + " cannot be read: " + Reason.of(e), e);
    }
  }

  private static IdxFile readFrom(Path folder, String name, int rank) {
    Path plain = folder.resolve(name);
    Path gzipped = folder.resolve(name + ".gz");
    if (Files.exists(plain)) {
      return IdxFile.read(plain, rank);
    }
    if (Files.exists(gzipped)) {
      return IdxFile.read(gzipped, rank);
    }
    throw new DataException(
        String.format(
            Locale.ROOT,
            "%s holds neither %s nor %s.gz (expected the four Fashion-MNIST files)",
            folder,
            name,
            name));
  }

  /** Where the files come from. */
  private interface Source {
    IdxFile read(String name, int rank);
  }
}
