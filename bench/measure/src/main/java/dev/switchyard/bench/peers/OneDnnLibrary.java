package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Matrix;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;

/** oneDNN's CPU engine, and its descriptions of memory. */
final class OneDnnLibrary {
  private final engine cpu = new engine(engine.kind.cpu, 0);
  private final stream inOrder = new stream(cpu);

  /** Memory is freed with its Java object, of which a view knows nothing. */
  private final List<memory> viewed = new ArrayList<>();

  engine engine() {
    return cpu;
  }

  stream stream() {
    return inOrder;
  }

  static memory.data_type typeOf(ElementType type) {
    return switch (type) {
      case FLOAT32 -> memory.data_type.f32;
      case BFLOAT16 -> memory.data_type.bf16;
      case INT8 -> memory.data_type.s8;
    };
  }

  /** A dense row-major matrix. */
  static memory.desc rowMajor(memory.data_type type, long rows, long cols) {
    return new memory.desc(new long[] {rows, cols}, type, new long[] {cols, 1});
  }

  /** The transpose of a dense row-major matrix [rows, cols]: the same elements in place. */
  static memory.desc transposed(memory.data_type type, long rows, long cols) {
    return new memory.desc(new long[] {cols, rows}, type, new long[] {1, rows == 0 ? 1 : cols});
  }

  /** A matrix in whatever layout a primitive likes best. */
  static memory.desc anyLayout(memory.data_type type, long rows, long cols) {
    return new memory.desc(new long[] {rows, cols}, type, memory.format_tag.any);
  }

  /** Memory that oneDNN allocates and aligns. */
  memory allocate(memory.desc layout) {
    return new memory(layout, cpu);
  }

  /** The same elements under another description. */
  memory view(memory of, memory.desc layout) {
    viewed.add(of);
    return new memory(layout, cpu, of.get_data_handle());
  }

  /** A copy of a matrix. */
  memory copyOf(ElementType type, Matrix matrix) {
    memory copy = allocate(rowMajor(typeOf(type), matrix.rows(), matrix.cols()));
    NativeCopy.write(matrix, copy.get_data_handle());
    return copy;
  }

  /** A copy of an array, as a matrix of one row. */
  memory copyOf(float... values) {
    return copyOf(ElementType.FLOAT32, FloatMatrix.of(values, 1, values.length));
  }

  /** One scale, as attributes take it. */
  memory scale(float value) {
    memory scale = allocate(new memory.desc(new long[] {1}, memory.data_type.f32, new long[] {1}));
    NativeCopy.write(FloatMatrix.of(new float[] {value}, 1, 1), scale.get_data_handle());
    return scale;
  }

  /** Copies from one layout or type to another. */
  Runnable reorder(memory from, memory to) {
    reorder primitive = new reorder(from, to);
    return () -> {
      primitive.execute(inOrder, from, to);
      inOrder._wait();
    };
  }
}
