package dev.switchyard.bench.data;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An IDX file of unsigned bytes: a shape, and the values in row-major order.
 *
 * <p>The format is a big-endian magic number (two zero bytes, the type {@code 0x08} for unsigned
 * bytes, the number of dimensions), the dimensions as 32-bit integers, then the values. Plain and
 * gzipped files are told apart by their first bytes, not by their name.
 *
 * <p>Reading is strict: a wrong header, a missing byte or a byte too many is a {@link
 * DataException}. No buffer is ever larger than what the file itself supplies or {@link #LIMIT}, so
 * a header that lies costs no memory.
 */
public final class IdxFile {
  /**
   * The most bytes a file may hold, compressed or not. Five times the largest Fashion-MNIST file;
   * what is beyond it was not meant for this reader.
   */
  static final int LIMIT = 1 << 28;

  private static final int UNSIGNED_BYTES = 0x08;

  private final String name;
  private final int[] shape;
  private final byte[] values;

  private IdxFile(String name, int[] shape, byte[] values) {
    this.name = name;
    this.shape = shape;
    this.values = values;
  }

  /**
   * Reads a file that must have {@code rank} dimensions.
   *
   * @throws DataException if the file is missing, truncated, corrupt or of another type or rank
   */
  public static IdxFile read(Path file, int rank) {
    try (InputStream in = Files.newInputStream(file)) {
      return read(file.toString(), in, rank);
    } catch (NoSuchFileException e) {
      throw new DataException(file + " does not exist (expected an IDX file, gzipped or not)", e);
    } catch (IOException e) {
      throw new DataException(
          String.format(
              Locale.ROOT, "%s cannot be read: %s (expected an IDX file)", file, Reason.of(e)),
          e);
    }
  }

  /**
   * Reads a stream to its end; {@code name} stands for it in messages.
   *
   * @throws DataException if the content is truncated, corrupt or of another type or rank
   * @throws IOException if the stream itself fails
   */
  public static IdxFile read(String name, InputStream in, int rank) throws IOException {
    byte[] bytes = in.readNBytes(LIMIT + 1);
    if (bytes.length > LIMIT) {
      throw new DataException(
          String.format(
              Locale.ROOT, "%s is larger than the %d bytes expected at most", name, LIMIT));
    }
    if (!isGzip(bytes)) {
      return parse(name, new ByteArrayInputStream(bytes), rank);
    }
    try (StrictGzip gzip = new StrictGzip(bytes)) {
      IdxFile file = parse(name, gzip, rank);
      if (gzip.leftOver() > 0) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s has %d bytes after its gzip stream (expected none)",
                name,
                gzip.leftOver()));
      }
      return file;
    } catch (EOFException e) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s is truncated: its gzip stream stops after %d bytes (expected a complete stream)",
              name,
              bytes.length),
          e);
    } catch (ZipException e) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s is corrupt: %s (expected a gzip stream that passes its own check)",
              name,
              e.getMessage()),
          e);
    }
  }

  private static boolean isGzip(byte[] bytes) {
    return bytes.length >= 2 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
  }

  private static IdxFile parse(String name, InputStream in, int rank) throws IOException {
    int[] shape = parseHeader(name, in.readNBytes(Integer.BYTES * (1 + rank)), rank);
    int size = size(name, shape);
    byte[] values = in.readNBytes(size);
    if (values.length < size) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s is truncated: it holds %d values (expected %s = %d)",
              name,
              values.length,
              text(shape),
              size));
    }
    // Also what makes a gzip stream compare its checksum: it does so at its end only.
    if (in.read() >= 0) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s holds more values than its header says (expected %s = %d)",
              name,
              text(shape),
              size));
    }
    return new IdxFile(name, shape, values);
  }

  private static int[] parseHeader(String name, byte[] header, int rank) {
    ByteBuffer buffer = ByteBuffer.wrap(header);
    int expected = UNSIGNED_BYTES << 8 | rank;
    if (header.length >= Integer.BYTES) {
      int magic = buffer.getInt();
      if (magic != expected) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s starts with 0x%08x (expected 0x%08x: IDX, unsigned bytes, %d dimension%s)",
                name,
                magic,
                expected,
                rank,
                rank == 1 ? "" : "s"));
      }
    }
    int wanted = Integer.BYTES * (1 + rank);
    if (header.length < wanted) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%s is truncated: it ends after %d bytes (expected an IDX header of %d)",
              name,
              header.length,
              wanted));
    }
    int[] shape = new int[rank];
    buffer.asIntBuffer().get(shape);
    return shape;
  }

  private static int size(String name, int[] shape) {
    long size = 1;
    for (int length : shape) {
      if (length <= 0 || length > LIMIT / size) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s has a header of %s values (expected lengths from 1 and a product up to %d)",
                name,
                text(shape),
                LIMIT));
      }
      size *= length;
    }
    return (int) size;
  }

  private static String text(int[] shape) {
    return Arrays.stream(shape)
        .mapToObj(Integer::toUnsignedString)
        .collect(Collectors.joining("x"));
  }

  /** The name under which the file was read. */
  public String name() {
    return name;
  }

  /** The length of one dimension. */
  public int length(int dimension) {
    return shape[dimension];
  }

  /** The values themselves, not a copy: kept within this package, where nothing writes to them. */
  byte[] values() {
    return values;
  }

  /**
   * A gzip stream over the bytes of a whole file, which can tell what follows its end: {@link
   * GZIPInputStream} passes over that in silence.
   */
  private static final class StrictGzip extends GZIPInputStream {
    private static final int TRAILER_BYTES = 8;

    /** The buffer takes the whole file, so that all that remains at the end is in the inflater. */
    StrictGzip(byte[] file) throws IOException {
      super(new ByteArrayInputStream(file), file.length);
    }

    /** Bytes after the trailer of the last member; to be called at the end of the stream. */
    int leftOver() {
      return inf.getRemaining() - TRAILER_BYTES;
    }
  }
}
