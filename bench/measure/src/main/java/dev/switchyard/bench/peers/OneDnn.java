package dev.switchyard.bench.peers;

import static dev.switchyard.bench.peers.OneDnnLibrary.anyLayout;
import static dev.switchyard.bench.peers.OneDnnLibrary.rowMajor;
import static dev.switchyard.bench.peers.OneDnnLibrary.transposed;

import dev.switchyard.bench.peers.OneDnnMatmul.Extra;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.layers.Profile;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;

/**
 * oneDNN's matmul primitives, with weights reordered once into its packed layout (format {@code
 * any}), and scales and bias applied by the primitive.
 *
 * <p>Which scales an s8 x s8 product takes in 3.11 on a CPU with AVX512-VNNI, all tried:
 *
 * <ul>
 *   <li>One scale of the source and one of the weights as attributes (mask 0), or one a column of
 *       the weights: the fast implementation {@code brg_matmul:avx512_core_vnni}. What is measured.
 *   <li>One scale a row of the source as an attribute: mask 1 is refused, mask 3 with groups {1, k}
 *       is computed by {@code ref_int8:any}, many times slower.
 *   <li>One scale a row as a multiplying post-op: on the fast implementation only if the product is
 *       given four dimensions, and the bias has to become a post-op too, as post-ops come after it.
 *       The results are right, but each shape tried was slower than with common scales.
 * </ul>
 *
 * So this peer has one scale for all of the source, less work than the scale a row of Switchyard's
 * int8 product.
 */
final class OneDnn implements Peer {
  private final OneDnnLibrary library;
  private final Set<ElementType> types;

  OneDnn(int threads) {
    library = new OneDnnLibrary();
    OmpThreads.limit(threads);
    types = EnumSet.noneOf(ElementType.class);
    for (ElementType type : ElementType.values()) {
      memory.data_type element = OneDnnLibrary.typeOf(type);
      if (OneDnnMatmul.isSupported(
          library,
          rowMajor(element, 64, 64),
          anyLayout(element, 64, 64),
          rowMajor(memory.data_type.f32, 64, 64),
          extras(type))) {
        types.add(type);
      }
    }
    if (types.contains(ElementType.INT8) && saturates()) {
      types.remove(ElementType.INT8);
    }
  }

  /** As on a CPU without VNNI, where two products at a time are added in 16 bits. */
  private boolean saturates() {
    QuantizedMatrix largest = new QuantizedMatrix(Scaling.TENSOR);
    largest.beginFill(64, 64);
    Arrays.fill(largest.data(), Byte.MAX_VALUE);
    Arrays.fill(largest.scales(), 1);
    largest.endFill();
    PeerProduct product = product(ElementType.INT8, largest, largest, new float[64]);
    product.run();
    return product.result()[0] != 64 * Byte.MAX_VALUE * Byte.MAX_VALUE;
  }

  private static Extra[] extras(ElementType type) {
    return type == ElementType.INT8
        ? new Extra[] {Extra.BIAS, Extra.SCALES}
        : new Extra[] {Extra.BIAS};
  }

  @Override
  public String name() {
    return "onednn";
  }

  @Override
  public String description() {
    dnnl_version_t version = dnnl.dnnl_version();
    return String.format(
        Locale.ROOT, "oneDNN %d.%d.%d", version.major(), version.minor(), version.patch());
  }

  @Override
  public Set<ElementType> types() {
    return EnumSet.copyOf(types);
  }

  @Override
  public PeerProduct product(ElementType type, Matrix x, Matrix w, float[] bias) {
    memory.data_type element = OneDnnLibrary.typeOf(type);
    int m = x.rows();
    int n = w.rows();
    int k = x.cols();
    memory.desc result = rowMajor(memory.data_type.f32, m, n);
    OneDnnMatmul product =
        new OneDnnMatmul(
            library, rowMajor(element, m, k), anyLayout(element, k, n), result, extras(type));

    memory plain = library.copyOf(type, w);
    memory packed = library.allocate(product.right());
    library.reorder(library.view(plain, transposed(element, n, k)), packed).run();
    memory y = library.allocate(result);
    product
        .operands(library.copyOf(type, x), packed, y)
        .bias(library.copyOf(Arrays.copyOf(bias, n)));
    if (x instanceof QuantizedMatrix xq && w instanceof QuantizedMatrix wq) {
      product.scales(library.scale(xq.scale(0, 0)), library.scale(wq.scale(0, 0)));
    }
    return new PeerProduct() {
      @Override
      public void run() {
        product.run();
      }

      @Override
      public float[] result() {
        return NativeCopy.read(y.get_data_handle(), m * n);
      }
    };
  }

  @Override
  public LinearStep step(ElementType type, LinearOperands operands, Profile profile) {
    return new OneDnnStep(library, type, operands, profile);
  }
}
