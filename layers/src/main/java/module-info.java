/** Layers, their gradients and optimizers, for training in int8 and in floating point. */
module dev.switchyard.layers {
  requires transitive dev.switchyard.kernels;

  exports dev.switchyard.layers;
  exports dev.switchyard.layers.activation;
  exports dev.switchyard.layers.attention;
  exports dev.switchyard.layers.block;
  exports dev.switchyard.layers.coda;
  exports dev.switchyard.layers.embedding;
  exports dev.switchyard.layers.io;
  exports dev.switchyard.layers.loss;
  exports dev.switchyard.layers.model;
  exports dev.switchyard.layers.norm;
  exports dev.switchyard.layers.optim;
  exports dev.switchyard.layers.training;
}
