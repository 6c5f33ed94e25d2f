package dev.switchyard.bench.data;

import java.security.MessageDigest;
import java.util.Locale;
import java.util.Objects;

/** Grey images of one size, each with the class it belongs to. Immutable. */
public final class ImageDataset {
  private final String name;
  private final int count;
  private final int rows;
  private final int columns;
  private final int classes;
  private final byte[] pixels;
  private final byte[] labels;

  private ImageDataset(IdxFile images, IdxFile labels, int classes) {
    this.name = images.name();
    this.count = images.length(0);
    this.rows = images.length(1);
    this.columns = images.length(2);
    this.classes = classes;
    this.pixels = images.values();
    this.labels = labels.values();
  }

  /**
   * Joins a file of images with the file of their labels.
   *
   * @throws DataException if their numbers differ or a label is not below {@code classes}
   */
  public static ImageDataset of(IdxFile images, IdxFile labels, int classes) {
    if (images.length(0) != labels.length(0)) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s holds %d labels but %s holds %d images (expected one label an image)",
              labels.name(),
              labels.length(0),
              images.name(),
              images.length(0)));
    }
    byte[] values = labels.values();
    for (int i = 0; i < values.length; i++) {
      int label = Byte.toUnsignedInt(values[i]);
      if (label >= classes) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s gives image %d the label %d (expected 0 to %d)",
                labels.name(),
                i,
                label,
                classes - 1));
      }
    }
    return new ImageDataset(images, labels, classes);
  }

  /** The number of images. */
  public int count() {
    return count;
  }

  /** The height of an image in pixels. */
  public int rows() {
    return rows;
  }

  /** The width of an image in pixels. */
  public int columns() {
    return columns;
  }

  /** The number of pixels of an image. */
  public int pixelsPerImage() {
    return rows * columns;
  }

  /** The number of classes; labels are below it. */
  public int classes() {
    return classes;
  }

  /** The class of one image. */
  public int label(int index) {
    return labels[Objects.checkIndex(index, count)];
  }

  /** A short text that differs where images or labels do. */
  public String fingerprint() {
    MessageDigest digest = Sha256.begin();
    digest.update(pixels);
    digest.update(labels);
    return String.format(
        Locale.ROOT, "%d images of %dx%d with %s", count, rows, columns, Sha256.end(digest));
  }

  /** What brings the pixels of this set to mean 0 and standard deviation 1. */
  public Normalization normalization() {
    return Normalization.of(name, pixels);
  }

  /**
   * Writes the images {@code order[from .. from + size)} one after the other, each row by row.
   *
   * @param out room for {@code size} images; what is beyond them is left alone
   */
  public void gatherImages(
      int[] order, int from, int size, Normalization normalization, float[] out) {
    Objects.checkFromIndexSize(from, size, order.length);
    int perImage = pixelsPerImage();
    if (out.length < (long) size * perImage) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "out has room for %d floats but %d images of %dx%d need %d",
              out.length,
              size,
              rows,
              columns,
              (long) size * perImage));
    }
    for (int i = 0; i < size; i++) {
      int source = Objects.checkIndex(order[from + i], count) * perImage;
      int target = i * perImage;
      for (int k = 0; k < perImage; k++) {
        out[target + k] = normalization.apply(pixels[source + k]);
      }
    }
  }

  /** Writes the classes of the images {@code order[from .. from + size)} to {@code out}. */
  public void gatherLabels(int[] order, int from, int size, int[] out) {
    Objects.checkFromIndexSize(from, size, order.length);
    if (out.length < size) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "out has room for %d labels but %d were asked for", out.length, size));
    }
    for (int i = 0; i < size; i++) {
      out[i] = label(order[from + i]);
    }
  }
}
