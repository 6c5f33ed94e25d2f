package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/** Copies between arrays and native memory, where matrices are dense. */
final class NativeCopy {
  private NativeCopy() {}

  /** Copies a matrix row by row, without the gaps between its rows. */
  static void write(Matrix from, Pointer to) {
    long cols = from.cols();
    switch (from) {
      case FloatMatrix floats -> {
        FloatPointer pointer = new FloatPointer(to);
        for (int i = 0; i < from.rows(); i++) {
          pointer.position(i * cols).put(floats.data(), floats.rowIndex(i), from.cols());
        }
      }
      case Bfloat16Matrix halves -> {
        ShortPointer pointer = new ShortPointer(to);
        for (int i = 0; i < from.rows(); i++) {
          pointer.position(i * cols).put(halves.data(), halves.rowIndex(i), from.cols());
        }
      }
      case QuantizedMatrix bytes -> {
        BytePointer pointer = new BytePointer(to);
        for (int i = 0; i < from.rows(); i++) {
          pointer.position(i * cols).put(bytes.data(), i * bytes.rowStride(), from.cols());
        }
      }
    }
  }

  /** A copy of the first floats. */
  static float[] read(Pointer from, int length) {
    float[] values = new float[length];
    new FloatPointer(from).get(values);
    return values;
  }
}
