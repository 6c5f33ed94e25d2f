package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The values of a model's parameters, by their names. */
public final class Weights {
  private Weights() {}

  /**
   * The values of parameters: the matrices themselves, to be written before the next step.
   *
   * @param parameters of a model
   * @return values by name, in their order
   * @throws IllegalArgumentException if two have one name
   */
  public static Map<String, FloatMatrix> of(List<Parameter> parameters) {
    Map<String, FloatMatrix> weights = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      if (weights.put(parameter.name(), parameter.value()) != null) {
        throw new IllegalArgumentException(
            "parameter " + parameter + " is listed twice (expected unique names)");
      }
    }
    return weights;
  }

  /**
   * The names of the vectors among parameters, which files keep in one dimension.
   *
   * @param parameters of a model
   * @return names of those that are no matrices
   */
  public static Set<String> vectors(List<Parameter> parameters) {
    return parameters.stream()
        .filter(Parameter::isVector)
        .map(Parameter::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * The names of the tensors of one dimension in an open file.
   *
   * @param in a safetensors file
   * @return their names
   */
  public static Set<String> vectors(Safetensors in) {
    return in.tensors().stream()
        .filter(tensor -> tensor.shape().size() == 1)
        .map(TensorInfo::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Writes the values of parameters for any program that reads safetensors, matrices [rows, cols]
   * and vectors [n], in one step; see {@link AtomicFile}.
   *
   * @param parameters of a model
   * @param file in a folder that exists
   * @throws IllegalArgumentException if two have one name
   * @throws IOException if it cannot be written; what stood there before is intact
   */
  public static void write(List<Parameter> parameters, Path file) throws IOException {
    new SafetensorsWriter().weights(of(parameters), vectors(parameters)).write(file);
  }

  /**
   * Reads the weights in a file, which need have no checksum: all tensors of F32, F16 and BF16 in
   * up to two dimensions. Others are left out.
   *
   * @param file a safetensors file
   * @return values by name, in the order of the file
   * @throws MalformedFileException if the file is damaged
   * @throws IOException if it cannot be read
   */
  public static Map<String, FloatMatrix> read(Path file) throws IOException {
    try (Safetensors in = Safetensors.open(file)) {
      return read(in);
    }
  }

  /**
   * Reads the weights in an open file as {@link #read(Path)} does.
   *
   * @param in a safetensors file
   * @return values by name, in the order of the file
   * @throws MalformedFileException if the file was cut meanwhile
   * @throws IOException if it cannot be read
   */
  public static Map<String, FloatMatrix> read(Safetensors in) throws IOException {
    Map<String, FloatMatrix> weights = new LinkedHashMap<>();
    for (TensorInfo tensor : in.tensors()) {
      if (Safetensors.isMatrix(tensor)) {
        weights.put(tensor.name(), in.matrix(tensor.name()));
      }
    }
    return weights;
  }

  /**
   * Copies values into parameters and marks them changed.
   *
   * @param weights values by name
   * @param parameters all that the values are for
   * @throws IllegalArgumentException that lists what is missing, unexpected or of another shape; no
   *     parameter is changed then
   */
  public static void load(Map<String, FloatMatrix> weights, List<Parameter> parameters) {
    requireFit(weights, parameters);
    parameters.forEach(parameter -> parameter.assign(weights.get(parameter.name())));
  }

  /** Refuses what {@link #load} does, and changes nothing. */
  static void requireFit(Map<String, FloatMatrix> weights, List<Parameter> parameters) {
    List<String> wrong = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Parameter parameter : parameters) {
      FloatMatrix value = weights.get(parameter.name());
      if (!names.add(parameter.name())) {
        wrong.add("two parameters " + parameter.name());
      } else if (value == null) {
        wrong.add("no value for " + parameter);
      } else if (value.rows() != parameter.rows() || value.cols() != parameter.cols()) {
        wrong.add(value.shape() + " for " + parameter);
      }
    }
    weights.forEach(
        (name, value) -> {
          if (!names.contains(name)) {
            wrong.add("no parameter " + name + " for " + value.shape());
          }
        });
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "the weights do not fit the parameters: " + String.join("; ", wrong));
    }
  }
}
