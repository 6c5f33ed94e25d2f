package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * The weights in a model's file, by the names that Hugging Face's BERT has for them, less a prefix
 * such as {@code bert.}; linear weights are [out, in].
 */
interface ModelTensors {
  /** What messages call the file. */
  String file();

  /** All that the encoder may depend on. */
  Set<String> names();

  /** The lengths of a tensor's dimensions; null if there is no such tensor. */
  List<Long> shape(String name);

  /** Reads a tensor of two dimensions, or of one into a single row, whose shape was checked. */
  void read(String name, FloatMatrix into) throws IOException;
}
