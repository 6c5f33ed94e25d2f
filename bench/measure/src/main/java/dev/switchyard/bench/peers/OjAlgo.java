package dev.switchyard.bench.peers;

import dev.switchyard.kernels.data.Form;
import org.ojalgo.OjAlgoUtils;
import org.ojalgo.matrix.store.MatrixStore;
import org.ojalgo.matrix.store.R032Store;

/**
 * ojAlgo's stores of floats. They are column-major, so that what is a matrix to others is its
 * transpose to them: instead of C = A B they compute C^T = B^T A^T.
 */
final class OjAlgo implements PureJava.Library {
  OjAlgo(int threads) {
    OjAlgoUtils.limitThreadsTo(threads);
  }

  @Override
  public String name() {
    return "ojalgo";
  }

  @Override
  public String description() {
    return "ojAlgo " + OjAlgoUtils.getVersion();
  }

  @Override
  public Runnable product(Form form, int m, int n, int k, float[] a, float[] b, float[] c) {
    R032Store storedLeft = R032Store.wrap(b, form == Form.NT ? k : n);
    R032Store storedRight = R032Store.wrap(a, form == Form.TN ? m : k);
    MatrixStore<Double> left = form == Form.NT ? storedLeft.transpose() : storedLeft;
    MatrixStore<Double> right = form == Form.TN ? storedRight.transpose() : storedRight;
    R032Store product = R032Store.wrap(c, n);
    return () -> product.fillByMultiplying(left, right);
  }
}
