package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.Form;
import org.ejml.EjmlVersion;
import org.ejml.concurrency.EjmlConcurrency;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.CommonOps_FDRM;
import org.ejml.dense.row.CommonOps_MT_FDRM;

/** EJML's dense products, by one thread or by several. */
final class Ejml implements PureJava.Library {
  private final boolean several;

  Ejml(int threads) {
    several = threads > 1;
    EjmlConcurrency.setMaxThreads(threads);
  }

  @Override
  public String name() {
    return "ejml";
  }

  @Override
  public String description() {
    return "EJML " + EjmlVersion.VERSION;
  }

  @Override
  public Runnable product(Form form, int m, int n, int k, float[] a, float[] b, float[] c) {
    FMatrixRMaj left = form == Form.TN ? wrap(k, m, a) : wrap(m, k, a);
    FMatrixRMaj right = form == Form.NT ? wrap(n, k, b) : wrap(k, n, b);
    FMatrixRMaj product = wrap(m, n, c);
    return switch (form) {
      case NT ->
          several
              ? () -> CommonOps_MT_FDRM.multTransB(left, right, product)
              : () -> CommonOps_FDRM.multTransB(left, right, product);
      case NN ->
          several
              ? () -> CommonOps_MT_FDRM.mult(left, right, product)
              : () -> CommonOps_FDRM.mult(left, right, product);
      case TN ->
          several
              ? () -> CommonOps_MT_FDRM.multTransA(left, right, product)
              : () -> CommonOps_FDRM.multTransA(left, right, product);
    };
  }

  private static FMatrixRMaj wrap(int rows, int cols, float[] values) {
    return FMatrixRMaj.wrap(rows, cols, values);
  }
}
