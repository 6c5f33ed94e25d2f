package dev.switchyard.mpi;

import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.Bfloat16;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFinitePolicy;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Rounding;
import dev.switchyard.kernels.data.Scaling;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How floats are written for other processes: matrices of rows of {@link #BLOCK}. What is not
 * finite stays so, and takes its row with it in int8.
 */
sealed interface WireFormat {
  /** Elements of a row, which share a scale. */
  int BLOCK = 512;

  /** The bytes of that many rows. */
  long bytes(int rows);

  /**
   * Writes rows.
   *
   * @param x dense rows
   * @param key of random draws
   */
  void encode(FloatMatrix x, long key, MemorySegment to);

  /** Reads rows. */
  void decode(MemorySegment from, FloatMatrix x);

  /** The format of a way to reduce. */
  static WireFormat of(Reduction reduction, Kernels kernels) {
    return switch (reduction) {
      case FLOAT32, ORDERED -> new Float32();
      case BFLOAT16 -> new Half();
      case INT8 -> new Int8(kernels);
    };
  }

  /** As they are. */
  final class Float32 implements WireFormat {
    @Override
    public long bytes(int rows) {
      return (long) Float.BYTES * BLOCK * rows;
    }

    @Override
    public void encode(FloatMatrix x, long key, MemorySegment to) {
      MemorySegment.copy(x.data(), x.offset(), to, ValueLayout.JAVA_FLOAT, 0, x.rows() * x.cols());
    }

    @Override
    public void decode(MemorySegment from, FloatMatrix x) {
      MemorySegment.copy(
          from, ValueLayout.JAVA_FLOAT, 0, x.data(), x.offset(), x.rows() * x.cols());
    }
  }

  /** In bfloat16, to nearest even. */
  final class Half implements WireFormat {
    @Override
    public long bytes(int rows) {
      return (long) Short.BYTES * BLOCK * rows;
    }

    @Override
    public void encode(FloatMatrix x, long key, MemorySegment to) {
      for (int i = 0; i < x.rows() * x.cols(); i++) {
        to.setAtIndex(ValueLayout.JAVA_SHORT, i, Bfloat16.fromFloat(x.data()[x.offset() + i]));
      }
    }

    @Override
    public void decode(MemorySegment from, FloatMatrix x) {
      for (int i = 0; i < x.rows() * x.cols(); i++) {
        x.data()[x.offset() + i] = Bfloat16.toFloat(from.getAtIndex(ValueLayout.JAVA_SHORT, i));
      }
    }
  }

  /** In int8 with one scale a row: the scales, then the integers. */
  final class Int8 implements WireFormat {
    private final Kernels kernels;
    private final QuantizedMatrix q = new QuantizedMatrix(Scaling.ROW);

    Int8(Kernels kernels) {
      this.kernels = kernels;
    }

    @Override
    public long bytes(int rows) {
      return (long) (Float.BYTES + BLOCK) * rows;
    }

    @Override
    public void encode(FloatMatrix x, long key, MemorySegment to) {
      kernels.quantize(x, Rounding.stochastic(key), NonFinitePolicy.PROPAGATE, q);
      long scales = (long) Float.BYTES * x.rows();
      MemorySegment.copy(q.scales(), 0, to, ValueLayout.JAVA_FLOAT, 0, x.rows());
      for (int row = 0; row < x.rows(); row++) {
        int from = q.offset() + row * q.rowStride();
        MemorySegment.copy(
            q.data(), from, to, ValueLayout.JAVA_BYTE, scales + (long) BLOCK * row, BLOCK);
      }
    }

    @Override
    public void decode(MemorySegment from, FloatMatrix x) {
      long scales = (long) Float.BYTES * x.rows();
      for (int row = 0; row < x.rows(); row++) {
        float scale = from.getAtIndex(ValueLayout.JAVA_FLOAT, row);
        int to = x.rowIndex(row);
        for (int i = 0; i < BLOCK; i++) {
          x.data()[to + i] =
              scale * from.get(ValueLayout.JAVA_BYTE, scales + (long) BLOCK * row + i);
        }
      }
    }
  }
}
