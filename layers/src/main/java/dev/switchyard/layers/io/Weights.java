package dev.switchyard.layers.io;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
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
   * Writes the same bytes to a stream, which is flushed and stays open.
   *
   * @param parameters of a model
   * @param out where to
   * @throws IllegalArgumentException if two have one name
   * @throws IOException if it cannot be written; the stream then holds a part
   */
  public static void write(List<Parameter> parameters, OutputStream out) throws IOException {
    new SafetensorsWriter().weights(of(parameters), vectors(parameters)).write(out);
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
   * Reads the weights that a stream gives, such as a resource, as {@link #read(Path)} does.
   *
   * @param in is read to its end and stays open
   * @return values by name, in their order
   * @throws MalformedFileException if it is damaged
   * @throws IOException if it cannot be read, or there is no room for a temporary file as large
   */
  public static Map<String, FloatMatrix> read(InputStream in) throws IOException {
    try (Safetensors copy = Safetensors.open(in)) {
      return read(copy);
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
   * Copies values into parameters and marks them changed: each parameter has to have a value, and
   * each value a parameter. {@link #rename} and {@link #loadPresent} are for other files. After an
   * error in the middle no parameter has a value, and each refuses to be used until it is loaded
   * again, see {@link Parameter#assign(List, List, Runnable)}.
   *
   * @param weights values by name
   * @param parameters all that the values are for
   * @throws IllegalArgumentException that lists what is missing, unexpected or of another shape; no
   *     parameter is changed then
   */
  public static void load(Map<String, FloatMatrix> weights, List<Parameter> parameters) {
    load(weights, parameters, () -> {});
  }

  /**
   * Copies values into parameters as {@link #load(Map, List)} does, together with whatever else
   * belongs to them.
   *
   * @param weights values by name
   * @param parameters all that the values are for
   * @param meanwhile sets what else there is, while no parameter has a value; if it throws an
   *     exception, all keep the values they had
   * @throws IllegalArgumentException that lists what is missing, unexpected or of another shape; no
   *     parameter is changed then
   */
  public static void load(
      Map<String, FloatMatrix> weights, List<Parameter> parameters, Runnable meanwhile) {
    requireFit(weights, parameters);
    List<FloatMatrix> values =
        parameters.stream().map(parameter -> weights.get(parameter.name())).toList();
    Parameter.assign(parameters, values, meanwhile);
  }

  /**
   * Gives weights other names, such as those that another library has for the same parameters.
   *
   * @param weights values by name
   * @param newName the name to have instead, or null to leave a weight out
   * @return the same values by new name, in their order
   * @throws IllegalArgumentException if two get the same name
   */
  public static Map<String, FloatMatrix> rename(
      Map<String, FloatMatrix> weights, UnaryOperator<String> newName) {
    Map<String, FloatMatrix> renamed = new LinkedHashMap<>();
    weights.forEach(
        (name, value) -> {
          String other = newName.apply(name);
          if (other != null && renamed.put(other, value) != null) {
            throw new IllegalArgumentException(
                "two weights are named " + other + ", the second was " + name);
          }
        });
    return renamed;
  }

  /**
   * What a lenient {@link #loadPresent} has left.
   *
   * @param missing names of the parameters without a value, which are as they were
   * @param unexpected names of the values without a parameter
   */
  public record Left(List<String> missing, List<String> unexpected) {
    /** Copies the lists. */
    public Left {
      missing = List.copyOf(missing);
      unexpected = List.copyOf(unexpected);
    }
  }

  /**
   * Copies values into the parameters of their names and leaves all others, as when a model gets a
   * new head. Look at what is returned: a name that is spelt otherwise is missing, not wrong.
   *
   * @param weights values by name
   * @param parameters of a model
   * @return what has found no partner
   * @throws IllegalArgumentException that lists values of another shape than the parameter of their
   *     name; no parameter is changed then
   */
  public static Left loadPresent(Map<String, FloatMatrix> weights, List<Parameter> parameters) {
    Map<String, FloatMatrix> unexpected = new LinkedHashMap<>(weights);
    Map<String, FloatMatrix> present = new LinkedHashMap<>();
    List<Parameter> having = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Parameter parameter : parameters) {
      FloatMatrix value = weights.get(parameter.name());
      if (value == null) {
        missing.add(parameter.name());
      } else {
        having.add(parameter);
        present.put(parameter.name(), value);
        unexpected.remove(parameter.name());
      }
    }
    load(present, having);
    return new Left(missing, List.copyOf(unexpected.keySet()));
  }

  /** Refuses what {@link #load} does, and changes nothing. */
  private static void requireFit(Map<String, FloatMatrix> weights, List<Parameter> parameters) {
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
