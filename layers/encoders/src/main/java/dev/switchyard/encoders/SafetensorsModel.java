package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.io.Safetensors;
import dev.switchyard.layers.io.TensorInfo;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The weights in a safetensors file. */
final class SafetensorsModel implements ModelTensors {
  private static final String WORDS = "embeddings.word_embeddings.weight";

  private final String file;
  private final Safetensors in;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

  SafetensorsModel(String file, Safetensors in) throws ModelFileException {
    this.file = file;
    this.in = in;
    List<String> prefixes =
        in.tensors().stream()
            .map(TensorInfo::name)
            .filter(name -> name.endsWith(WORDS))
            .map(name -> name.substring(0, name.length() - WORDS.length()))
            .toList();
    if (prefixes.size() > 1) {
      throw new ModelFileException(
          file,
          prefixes.size() + " encoders, of which the names begin with " + prefixes,
          "a single one");
    }
    String prefix = prefixes.isEmpty() ? "" : prefixes.getFirst();
    for (TensorInfo tensor : in.tensors()) {
      if (!isBesideTheEncoder(tensor.name(), prefix)) {
        tensors.put(tensor.name().substring(prefix.length()), tensor);
      }
    }
  }

  /** The pooler, heads of other tasks, and the numbers from 0 that some versions kept. */
  private static boolean isBesideTheEncoder(String name, String prefix) {
    return !name.startsWith(prefix)
        || name.startsWith(prefix + "pooler.")
        || name.startsWith("cls.")
        || name.equals(prefix + "embeddings.position_ids");
  }

  @Override
  public String file() {
    return file;
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public List<Long> shape(String name) {
    TensorInfo tensor = tensors.get(name);
    return tensor == null ? null : tensor.shape();
  }

  @Override
  public void read(String name, FloatMatrix into) throws IOException {
    float[] values = in.floats(tensors.get(name).name());
    for (int i = 0; i < into.rows(); i++) {
      System.arraycopy(values, i * into.cols(), into.data(), into.rowIndex(i), into.cols());
    }
  }
}
