package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * A tensor of an ONNX model, whose elements lie in the bytes of its file.
 *
 * @param begin where they do, -1 if nowhere
 * @param bytes how many bytes they have
 */
record OnnxTensor(
    String file,
    MemorySegment data,
    String name,
    int type,
    List<Long> dims,
    long begin,
    long bytes) {
  /** The type of 32-bit floats. */
  static final int FLOAT = 1;

  /** The types of 16-bit and 64-bit floats and of bfloat16. */
  private static final Set<Integer> OTHER_FLOATS = Set.of(10, 11, 16);

  /** The type of 64-bit whole numbers. */
  static final int INT64 = 7;

  /** Refuses a tensor of another type, or whose elements are not here in full. */
  void require(int expected, int elementBytes) throws ModelFileException {
    String what = "tensor " + name + " of " + BertReader.text(dims);
    if (type != expected) {
      throw new ModelFileException(file, what + " and type " + type, "type " + expected);
    }
    if (begin < 0) {
      throw new ModelFileException(
          file, what + " without raw data", "its elements in the file, as raw data");
    }
    if (!hasElements(bytes / elementBytes) || bytes % elementBytes != 0) {
      throw new ModelFileException(
          file, what + " in " + bytes + " bytes", elementBytes + " for each element");
    }
  }

  private boolean hasElements(long count) {
    long product = 1;
    for (long length : dims) {
      if (length < 0 || length > Integer.MAX_VALUE || product > Integer.MAX_VALUE) {
        return false;
      }
      product *= length;
    }
    return product == count;
  }

  /** Whether it is a weight: floats of any kind, more than one. */
  boolean isWeight() {
    return (type == FLOAT || OTHER_FLOATS.contains(type))
        && !dims.stream().allMatch(length -> length == 1);
  }

  /** Its elements as whole numbers. */
  long[] integers() throws ModelFileException {
    require(INT64, Long.BYTES);
    return data.asSlice(begin, bytes).toArray(OnnxFile.LONG);
  }

  /** Its only element. */
  float number() throws ModelFileException {
    require(FLOAT, Float.BYTES);
    if (bytes != Float.BYTES) {
      throw new ModelFileException(
          file, "tensor " + name + " of " + BertReader.text(dims), "a single number");
    }
    return data.get(OnnxFile.FLOAT, begin);
  }

  /** Copies its elements into a matrix, as they are or transposed. */
  void read(FloatMatrix into, boolean transposed) {
    if (!transposed) {
      for (int i = 0; i < into.rows(); i++) {
        long from = begin + (long) Float.BYTES * i * into.cols();
        MemorySegment.copy(data, OnnxFile.FLOAT, from, into.data(), into.rowIndex(i), into.cols());
      }
      return;
    }
    float[] column = new float[into.rows()];
    for (int j = 0; j < into.cols(); j++) {
      long from = begin + (long) Float.BYTES * j * into.rows();
      MemorySegment.copy(data, OnnxFile.FLOAT, from, column, 0, column.length);
      for (int i = 0; i < into.rows(); i++) {
        into.data()[into.rowIndex(i) + j] = column[i];
      }
    }
  }
}
