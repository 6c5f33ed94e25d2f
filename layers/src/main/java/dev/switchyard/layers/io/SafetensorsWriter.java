package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Collects tensors and writes them to a safetensors file, see {@link Safetensors}. Arrays are not
 * copied: they must stay as they are until {@link #write} is done. For use by one thread.
 */
public final class SafetensorsWriter {
  /** Where data begins, and each tensor with it, since wide elements come first. */
  private static final int ALIGNMENT = 8;

  private record Source(Dtype dtype, List<Long> shape, long bytes, Encoder encoder) {}

  /** Puts {@code n} elements into a chunk. */
  private interface Encoder {
    void encode(ByteBuffer chunk, int from, int n);
  }

  private Map<String, Source> sources = new LinkedHashMap<>();
  private final Map<String, String> metadata = new TreeMap<>();

  /** A writer of nothing yet, which is a valid file too. */
  public SafetensorsWriter() {}

  /**
   * Adds a matrix as F32.
   *
   * @param name unique in the file
   * @param matrix dense or a view
   * @return this
   * @throws IllegalArgumentException if the name is taken, reserved or no Unicode text
   */
  public SafetensorsWriter matrix(String name, FloatMatrix matrix) {
    return matrix(name, matrix, matrix.rows(), matrix.cols());
  }

  private SafetensorsWriter matrix(String name, FloatMatrix matrix, long... shape) {
    int cols = matrix.cols();
    return add(
        name,
        Dtype.F32,
        (long) matrix.rows() * cols,
        (chunk, from, n) -> {
          int done = 0;
          while (done < n) { // row by row, as a view may have gaps between them
            int col = (from + done) % cols;
            int run = Math.min(cols - col, n - done);
            int index = matrix.rowIndex((from + done) / cols) + col;
            chunk.asFloatBuffer().put(done, matrix.data(), index, run);
            done += run;
          }
        },
        shape);
  }

  /**
   * Adds weights as F32, vectors in one dimension as other libraries expect them; all, or after an
   * exception or error none.
   *
   * @param weights by names that are unique in the file
   * @param vectors which of them are [n], whose matrices have one row
   * @return this
   * @throws IllegalArgumentException if a name is taken, reserved or no Unicode text
   */
  public SafetensorsWriter weights(Map<String, FloatMatrix> weights, Set<String> vectors) {
    SafetensorsWriter all = new SafetensorsWriter();
    all.sources.putAll(sources);
    weights.forEach(
        (name, value) -> {
          if (vectors.contains(name)) {
            all.matrix(name, value, value.cols());
          } else {
            all.matrix(name, value);
          }
        });
    sources = all.sources;
    return this;
  }

  /**
   * Adds floats as F32.
   *
   * @param name unique in the file
   * @param values the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter floats(String name, float[] values, long... shape) {
    return add(
        name,
        Dtype.F32,
        values.length,
        (chunk, from, n) -> chunk.asFloatBuffer().put(values, from, n),
        shape);
  }

  /**
   * Adds bfloat16 numbers as BF16.
   *
   * @param name unique in the file
   * @param bits the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter bfloat16s(String name, short[] bits, long... shape) {
    return add(
        name,
        Dtype.BF16,
        bits.length,
        (chunk, from, n) -> chunk.asShortBuffer().put(bits, from, n),
        shape);
  }

  /**
   * Adds doubles as F64.
   *
   * @param name unique in the file
   * @param values the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter doubles(String name, double[] values, long... shape) {
    return add(
        name,
        Dtype.F64,
        values.length,
        (chunk, from, n) -> chunk.asDoubleBuffer().put(values, from, n),
        shape);
  }

  /**
   * Adds longs as I64.
   *
   * @param name unique in the file
   * @param values the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter longs(String name, long[] values, long... shape) {
    return add(
        name,
        Dtype.I64,
        values.length,
        (chunk, from, n) -> chunk.asLongBuffer().put(values, from, n),
        shape);
  }

  /**
   * Adds ints as I32.
   *
   * @param name unique in the file
   * @param values the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter ints(String name, int[] values, long... shape) {
    return add(
        name,
        Dtype.I32,
        values.length,
        (chunk, from, n) -> chunk.asIntBuffer().put(values, from, n),
        shape);
  }

  /**
   * Adds bytes as I8.
   *
   * @param name unique in the file
   * @param values the elements
   * @param shape lengths whose product is the number of elements
   * @return this
   * @throws IllegalArgumentException if name or shape do not fit
   */
  public SafetensorsWriter bytes(String name, byte[] values, long... shape) {
    return add(
        name, Dtype.I8, values.length, (chunk, from, n) -> chunk.put(0, values, from, n), shape);
  }

  /**
   * Adds a line of metadata.
   *
   * @param key unique in the metadata
   * @param value any text
   * @return this
   * @throws IllegalArgumentException if the key is taken or reserved, or either no Unicode text
   */
  public SafetensorsWriter metadata(String key, String value) {
    checkText("metadata key", key);
    checkText("value of " + key, value);
    if (key.equals(Header.CHECKSUM) || metadata.putIfAbsent(key, value) != null) {
      throw new IllegalArgumentException("metadata key " + key + " is taken (expected a new one)");
    }
    return this;
  }

  private SafetensorsWriter add(
      String name, Dtype dtype, long elements, Encoder encoder, long... shape) {
    checkText("tensor name", name);
    List<Long> lengths = Arrays.stream(shape).boxed().toList();
    if (lengths.stream().anyMatch(length -> length < 0) || product(lengths) != elements) {
      throw new IllegalArgumentException(
          "tensor " + name + " has " + elements + " elements, which are not a shape " + lengths);
    }
    Source source = new Source(dtype, lengths, elements * dtype.bytes(), encoder);
    if (name.equals(Header.METADATA) || sources.putIfAbsent(name, source) != null) {
      throw new IllegalArgumentException("tensor name " + name + " is taken (expected a new one)");
    }
    return this;
  }

  private static long product(List<Long> lengths) {
    try {
      return TensorInfo.elements(lengths);
    } catch (ArithmeticException _) {
      return -1; // no array has as many
    }
  }

  private static void checkText(String what, String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          what + " " + text + " has half a surrogate pair (expected both halves or none)");
    }
  }

  /**
   * Writes the file in one step, see {@link AtomicFile}. The data is gone through twice: for the
   * checksum, which comes first in the file, and to be written.
   *
   * @param file the file, in a folder that exists
   * @throws IllegalStateException if the header is beyond the format's limit of 100 MB
   * @throws IOException if it cannot be written; what stood there before is intact
   */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, this::write);
  }

  /**
   * Writes the same bytes to a stream, which is flushed and stays open.
   *
   * @param out where to
   * @throws IllegalStateException if the header is beyond the format's limit of 100 MB; nothing is
   *     written then
   * @throws IOException if it cannot be written; the stream then holds a part
   */
  public void write(OutputStream out) throws IOException {
    List<Map.Entry<String, Source>> order = new ArrayList<>(sources.entrySet());
    order.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
    List<TensorInfo> tensors = new ArrayList<>();
    long at = 0;
    for (Map.Entry<String, Source> entry : order) {
      Source source = entry.getValue();
      long end = at + source.bytes();
      tensors.add(new TensorInfo(entry.getKey(), source.dtype(), source.shape(), at, end));
      at = end;
    }
    Map<String, String> lines = new TreeMap<>(metadata);
    MessageDigest digest = new Header(tensors, lines).digest();
    writeData(order, new DigestOutputStream(OutputStream.nullOutputStream(), digest));
    lines.put(Header.CHECKSUM, HexFormat.of().formatHex(digest.digest()));
    byte[] json = new Header(tensors, lines).json();
    int length = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
    if (length > Header.LIMIT) {
      throw new IllegalStateException(
          "the header has " + length + " bytes (expected up to " + Header.LIMIT + ")");
    }
    byte[] padded = Arrays.copyOf(json, length);
    Arrays.fill(padded, json.length, length, (byte) ' ');
    byte[] first = new byte[Long.BYTES];
    littleEndian(first).putLong(length);
    out.write(first);
    out.write(padded);
    writeData(order, out);
    out.flush();
  }

  private static void writeData(List<Map.Entry<String, Source>> order, OutputStream out)
      throws IOException {
    byte[] bytes = new byte[Safetensors.CHUNK];
    ByteBuffer chunk = littleEndian(bytes);
    for (Map.Entry<String, Source> entry : order) {
      Source source = entry.getValue();
      int width = source.dtype().bytes();
      int elements = (int) (source.bytes() / width); // of a Java array
      int n;
      for (int from = 0; from < elements; from += n) {
        n = Math.min(bytes.length / width, elements - from);
        source.encoder().encode(chunk, from, n);
        out.write(bytes, 0, n * width);
      }
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
