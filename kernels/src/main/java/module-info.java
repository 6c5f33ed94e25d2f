/**
 * Quantizers, matrix multiplication and the element-wise work of a transformer, on the JDK alone.
 *
 * <p>Two flags make it fast: {@code --enable-native-access} of this module (or of ALL-UNNAMED on
 * the class path) for machine code, and {@code --add-modules jdk.incubator.vector} for the rest.
 * Without either it works on the next best backend, and says so once.
 */
module dev.switchyard.kernels {
  requires static jdk.incubator.vector;

  exports dev.switchyard.kernels;
  exports dev.switchyard.kernels.data;
  exports dev.switchyard.kernels.parallel;
}
