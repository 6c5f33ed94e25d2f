package dev.switchyard.bench.peers;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;

/** A matmul primitive of oneDNN and the memory it works on: C = A B + bias. */
final class OneDnnMatmul {
  /** What a primitive may do beyond the product. */
  enum Extra {
    /** Adds one value a column. */
    BIAS,
    /** Multiplies by one scale of A and one of B. */
    SCALES
  }

  private final OneDnnLibrary library;
  private final matmul primitive;
  private final memory.desc right;
  private final IntMemoryMap arguments = new IntMemoryMap();

  OneDnnMatmul(
      OneDnnLibrary library, memory.desc a, memory.desc b, memory.desc c, Extra... extras) {
    this.library = library;
    matmul.primitive_desc chosen = describe(library, a, b, c, extras);
    right = chosen.weights_desc();
    primitive = new matmul(chosen);
  }

  /** Whether oneDNN has such a product for this CPU. */
  static boolean isSupported(
      OneDnnLibrary library, memory.desc a, memory.desc b, memory.desc c, Extra... extras) {
    return describe(library, a, b, c, extras).get(true) != null;
  }

  private static matmul.primitive_desc describe(
      OneDnnLibrary library, memory.desc a, memory.desc b, memory.desc c, Extra... extras) {
    primitive_attr attributes = new primitive_attr();
    memory.desc bias = new memory.desc();
    for (Extra extra : extras) {
      switch (extra) {
        case BIAS -> bias = OneDnnLibrary.rowMajor(memory.data_type.f32, 1, c.get_dims().get(1));
        case SCALES -> {
          attributes.set_scales_mask(dnnl.DNNL_ARG_SRC, 0);
          attributes.set_scales_mask(dnnl.DNNL_ARG_WEIGHTS, 0);
        }
      }
    }
    return new matmul.primitive_desc(library.engine(), a, b, bias, c, attributes, true);
  }

  /** The layout of B that the primitive has or, where it was free to, has chosen. */
  memory.desc right() {
    return right;
  }

  OneDnnMatmul operands(memory a, memory b, memory c) {
    arguments.put(dnnl.DNNL_ARG_SRC, a);
    arguments.put(dnnl.DNNL_ARG_WEIGHTS, b);
    arguments.put(dnnl.DNNL_ARG_DST, c);
    return this;
  }

  OneDnnMatmul bias(memory bias) {
    arguments.put(dnnl.DNNL_ARG_BIAS, bias);
    return this;
  }

  OneDnnMatmul scales(memory ofA, memory ofB) {
    arguments.put(dnnl.DNNL_ARG_ATTR_SCALES | dnnl.DNNL_ARG_SRC, ofA);
    arguments.put(dnnl.DNNL_ARG_ATTR_SCALES | dnnl.DNNL_ARG_WEIGHTS, ofB);
    return this;
  }

  void run() {
    primitive.execute(library.stream(), arguments);
    library.stream()._wait();
  }
}
