/** Assertions for tests of layers and kernels: accuracy, gradients, quantization. */
module dev.switchyard.testkit {
  requires transitive dev.switchyard.layers;
  requires transitive org.opentest4j;

  exports dev.switchyard.testkit;
}
