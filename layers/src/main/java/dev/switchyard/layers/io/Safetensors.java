package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.FloatMatrix;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * An open safetensors file: a header length (8 bytes, little-endian), a header of JSON, then the
 * data of all tensors (the format of the safetensors project's README). Opening checks the header
 * in full, and the checksum if there is one; tensors are then read one by one, when asked for. One
 * that cannot be read is listed like the others and refused when it is asked for. Nothing is
 * allocated that the file is not large enough to fill.
 *
 * <p>What {@link SafetensorsWriter} writes has a checksum (SHA-256 over header and data), files of
 * other libraries have none. Files of more than 2 GB are fine; one tensor is at most what a Java
 * array can hold. For use by one thread at a time.
 */
public final class Safetensors implements Closeable {
  static final int CHUNK = 1 << 16;

  private static final Dtype[] FLOATS = {Dtype.F32, Dtype.F16, Dtype.BF16};

  private final String file;
  private final FileChannel channel;
  private final long dataBegin;
  private final Header header;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);

  private Safetensors(String file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    long size = channel.size();
    byte[] json;
    try {
      json = readHeader(size);
      dataBegin = (long) Long.BYTES + json.length;
      header = Header.parse(file, json, size - dataBegin);
    } catch (MalformedFileException e) {
      throw foreign(size).orElse(e);
    }
    header.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
    if (hasChecksum()) {
      verify(size);
    }
  }

  /** What the file is, if it is none of this format. */
  private Optional<MalformedFileException> foreign(long size) throws IOException {
    byte[] head = new byte[(int) Math.min(ForeignFile.HEAD, size)];
    readFully(0, head.length);
    chunk.get(head);
    return ForeignFile.of(head).map(kind -> new MalformedFileException(file + " " + kind));
  }

  private byte[] readHeader(long size) throws IOException {
    if (size < Long.BYTES) {
      throw new MalformedFileException(
          file + " is truncated: it holds " + size + " bytes (expected 8 for the header length)");
    }
    readFully(0, Long.BYTES);
    long length = chunk.getLong();
    if (length < 0 || length > Math.min(Header.LIMIT, size - Long.BYTES)) {
      throw new MalformedFileException(
          String.format(
              Locale.ROOT,
              "%s is no safetensors file, or a damaged one: it says that its header has %s bytes"
                  + " (expected up to %d in a file of %d)",
              file,
              Long.toUnsignedString(length),
              Math.min(Header.LIMIT, size - Long.BYTES),
              size));
    }
    byte[] json = new byte[(int) length];
    for (int from = 0; from < json.length; from += CHUNK) {
      int count = Math.min(CHUNK, json.length - from);
      readFully((long) Long.BYTES + from, count);
      chunk.get(json, from, count);
    }
    return json;
  }

  /**
   * Opens a file and checks it.
   *
   * @param path the file
   * @return the open file
   * @throws MalformedFileException if it is damaged or not of this format
   * @throws IOException if it cannot be read
   */
  public static Safetensors open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return new Safetensors(path.toString(), channel);
    } catch (Throwable t) {
      channel.close();
      throw t;
    }
  }

  /**
   * Opens what a stream gives, such as a resource, and checks it. It is copied to a temporary file,
   * which is deleted when this is closed, so that tensors can be read in any order and size.
   *
   * @param in is read to its end and stays open
   * @return the open file
   * @throws MalformedFileException if it is damaged or not of this format
   * @throws IOException if it cannot be read, or there is no room for the copy
   */
  public static Safetensors open(InputStream in) throws IOException {
    String prefix = "switchyard-" + ProcessHandle.current().pid() + "-";
    Path copy = Files.createTempFile(prefix, ".safetensors");
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              copy,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
      in.transferTo(Channels.newOutputStream(channel));
      return new Safetensors("the stream", channel);
    } catch (Throwable t) {
      if (channel == null) {
        Files.delete(copy);
      } else {
        channel.close();
      }
      throw t;
    }
  }

  private void verify(long size) throws IOException {
    MessageDigest digest = header.digest();
    for (long at = dataBegin; at < size; at += CHUNK) {
      readFully(at, (int) Math.min(CHUNK, size - at));
      digest.update(chunk);
    }
    String computed = HexFormat.of().formatHex(digest.digest());
    String stored = header.metadata().get(Header.CHECKSUM);
    if (!computed.equals(stored)) {
      throw new MalformedFileException(
          String.format(
              Locale.ROOT,
              "%s is damaged: its content has the SHA-256 checksum %s (expected %s, as it says)",
              file,
              computed,
              stored));
    }
  }

  /** Fills the chunk with bytes of the file. */
  private void readFully(long position, int count) throws IOException {
    chunk.clear().limit(count);
    while (chunk.hasRemaining()) {
      if (channel.read(chunk, position + chunk.position()) < 0) {
        throw new MalformedFileException(
            String.format(
                Locale.ROOT,
                "%s was cut while it was read: it ends at byte %d (expected %d more)",
                file,
                position + chunk.position(),
                chunk.remaining()));
      }
    }
    chunk.flip();
  }

  /**
   * Whether the file had a checksum, which then was right.
   *
   * @return true if what is read is what was written
   */
  public boolean hasChecksum() {
    return header.metadata().containsKey(Header.CHECKSUM);
  }

  /**
   * The tensors.
   *
   * @return one for each, in the order of their data
   */
  public List<TensorInfo> tensors() {
    return header.tensors();
  }

  /**
   * The metadata, the checksum among it.
   *
   * @return text by key
   */
  public Map<String, String> metadata() {
    return Map.copyOf(header.metadata());
  }

  /**
   * Reads a tensor of F32, F16 or BF16, all of which become floats exactly.
   *
   * @param name the tensor
   * @return its elements
   * @throws MalformedFileException if there is none of that name and these types
   * @throws IOException if it cannot be read
   */
  public float[] floats(String name) throws IOException {
    TensorInfo tensor = find(name, FLOATS);
    if (tensor.dtype() == Dtype.F32) {
      return read(tensor, float[]::new, (out, from, n) -> chunk.asFloatBuffer().get(out, from, n));
    }
    boolean half = tensor.dtype() == Dtype.F16;
    return read(
        tensor,
        float[]::new,
        (out, from, n) -> {
          ShortBuffer bits = chunk.asShortBuffer();
          for (int i = 0; i < n; i++) {
            short b = bits.get(i);
            out[from + i] = half ? Float.float16ToFloat(b) : Bfloat16.toFloat(b);
          }
        });
  }

  /** Whether a tensor is of a type and a shape that become a matrix. */
  static boolean isMatrix(TensorInfo tensor) {
    List<Long> shape = tensor.shape();
    return List.of(FLOATS).contains(tensor.dtype())
        && shape.size() <= 2
        && shape.stream().allMatch(length -> length <= Integer.MAX_VALUE);
  }

  /**
   * Reads a tensor of up to two dimensions as {@link #floats} does; a vector becomes a row.
   *
   * @param name the tensor
   * @return its elements, dense and alone in their array
   * @throws MalformedFileException if there is none of that name, types and number of dimensions
   * @throws IOException if it cannot be read
   */
  public FloatMatrix matrix(String name) throws IOException {
    TensorInfo tensor = find(name, FLOATS);
    List<Long> shape = tensor.shape();
    if (!isMatrix(tensor)) {
      throw new MalformedFileException(
          file + " has " + tensor + " (expected at most two dimensions of up to 2^31 - 1)");
    }
    int cols = shape.isEmpty() ? 1 : shape.getLast().intValue();
    return FloatMatrix.of(floats(name), shape.size() < 2 ? 1 : shape.getFirst().intValue(), cols);
  }

  /**
   * Reads a tensor of F64.
   *
   * @param name the tensor
   * @return its elements
   * @throws MalformedFileException if there is none of that name and type
   * @throws IOException if it cannot be read
   */
  public double[] doubles(String name) throws IOException {
    return read(
        find(name, Dtype.F64),
        double[]::new,
        (out, from, n) -> chunk.asDoubleBuffer().get(out, from, n));
  }

  /**
   * Reads a tensor of I64.
   *
   * @param name the tensor
   * @return its elements
   * @throws MalformedFileException if there is none of that name and type
   * @throws IOException if it cannot be read
   */
  public long[] longs(String name) throws IOException {
    return read(
        find(name, Dtype.I64),
        long[]::new,
        (out, from, n) -> chunk.asLongBuffer().get(out, from, n));
  }

  /**
   * Reads a tensor of I32.
   *
   * @param name the tensor
   * @return its elements
   * @throws MalformedFileException if there is none of that name and type
   * @throws IOException if it cannot be read
   */
  public int[] ints(String name) throws IOException {
    return read(
        find(name, Dtype.I32), int[]::new, (out, from, n) -> chunk.asIntBuffer().get(out, from, n));
  }

  /**
   * Reads a tensor of I8.
   *
   * @param name the tensor
   * @return its elements
   * @throws MalformedFileException if there is none of that name and type
   * @throws IOException if it cannot be read
   */
  public byte[] bytes(String name) throws IOException {
    return read(find(name, Dtype.I8), byte[]::new, (out, from, n) -> chunk.get(out, from, n));
  }

  private TensorInfo find(String name, Dtype... dtypes) throws MalformedFileException {
    TensorInfo tensor = tensors.get(name);
    List<Dtype> expected = Arrays.asList(dtypes);
    if (tensor == null) {
      throw new MalformedFileException(
          file + " has no tensor " + name + " (expected one of " + expected + ")");
    }
    if (!expected.contains(tensor.dtype())) {
      throw new MalformedFileException(
          file + " has " + tensor + " (expected one of " + expected + ")");
    }
    if (tensor.elements() > Integer.MAX_VALUE - 64) {
      throw new MalformedFileException(
          file + " has " + tensor + ", more elements than a Java array can hold (2^31 - 65)");
    }
    return tensor;
  }

  /** Takes {@code n} elements out of the chunk into an array. */
  private interface Decoder<A> {
    void decode(A out, int from, int n);
  }

  private <A> A read(TensorInfo tensor, IntFunction<A> allocate, Decoder<A> decoder)
      throws IOException {
    int elements = (int) tensor.elements();
    int bytes = tensor.dtype().bytes();
    A out = allocate.apply(elements);
    int n;
    for (int from = 0; from < elements; from += n) {
      n = Math.min(CHUNK / bytes, elements - from);
      readFully(dataBegin + tensor.begin() + (long) from * bytes, n * bytes);
      decoder.decode(out, from, n);
    }
    return out;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
