/**
 * Quantizers, matrix multiplication and the element-wise work of a transformer, on the JDK alone.
 *
 * <p>The Vector API is optional at run time: without {@code --add-modules jdk.incubator.vector} the
 * slow reference backend is used, after one warning.
 */
module dev.switchyard.kernels {
  requires static jdk.incubator.vector;

  exports dev.switchyard.kernels;
  exports dev.switchyard.kernels.data;
  exports dev.switchyard.kernels.parallel;
}
