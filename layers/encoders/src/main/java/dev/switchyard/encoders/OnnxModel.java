package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A BERT in an ONNX file as PyTorch exports it. Biases, embeddings and normalizations keep the
 * names of the Hugging Face library there. Linear weights have made-up names and are stored
 * transposed, so each is found by what is computed: its product is what the bias is added to. Only
 * what the hidden states depend on is looked at.
 */
final class OnnxModel implements ModelTensors {
  private static final String OUTPUT = "last_hidden_state";
  private static final String WORDS = "embeddings.word_embeddings.weight";
  private static final String QUERY = "attention.self.query.bias";

  /** What a BERT with the exact GELU is made of, normalizations written out or not. */
  private static final Set<String> OPERATORS =
      Set.of(
          "Add",
          "Cast",
          "Concat",
          "Constant",
          "ConstantOfShape",
          "Div",
          "Equal",
          "Erf",
          "Expand",
          "Gather",
          "Identity",
          "LayerNormalization",
          "MatMul",
          "Mul",
          "Pow",
          "ReduceMean",
          "Reshape",
          "Shape",
          "Slice",
          "Softmax",
          "Sqrt",
          "Sub",
          "Transpose",
          "Unsqueeze",
          "Where");

  private final String file;
  private final OnnxFile onnx;
  private final Map<String, OnnxFile.Node> nodes = new LinkedHashMap<>(); // by output
  private final Map<String, Weight> weights = new HashMap<>();
  private final BertShape shape;

  private record Weight(OnnxTensor tensor, boolean transposed) {}

  OnnxModel(String file, MemorySegment data) throws ModelFileException {
    this.file = file;
    this.onnx = OnnxFile.read(file, data);
    if (!onnx.outputs().contains(OUTPUT)) {
      throw new ModelFileException(file, "the outputs " + onnx.outputs(), OUTPUT + " among them");
    }
    String prefix = collect();
    rename(prefix);
    shape = findShape(prefix);
  }

  /** Finds all that the output depends on, and returns the prefix of the weights' names. */
  private String collect() throws ModelFileException {
    Deque<String> open = new ArrayDeque<>(List.of(OUTPUT));
    String prefix = "";
    while (!open.isEmpty()) {
      String name = open.pop();
      OnnxFile.Node node = onnx.node(name);
      OnnxTensor tensor = onnx.tensor(name);
      if (tensor != null && tensor.isWeight()) {
        tensor.require(OnnxTensor.FLOAT, Float.BYTES);
        weights.put(name, new Weight(tensor, false));
        if (name.endsWith(WORDS)) {
          prefix = name.substring(0, name.length() - WORDS.length());
        }
      } else if (node != null && nodes.put(name, node) == null) {
        if (!OPERATORS.contains(node.operator())) {
          throw new ModelFileException(
              file,
              "node " + node.name() + " of operator " + node.operator(),
              "those of a BERT encoder with the exact GELU alone: " + new TreeSet<>(OPERATORS));
        }
        node.inputs().forEach(open::push);
      }
    }
    return prefix;
  }

  /** Takes the prefix off all names, and gives linear weights the name of their bias. */
  private void rename(String prefix) {
    Map<String, Weight> renamed = new HashMap<>();
    weights.forEach(
        (name, weight) ->
            renamed.put(name.startsWith(prefix) ? name.substring(prefix.length()) : name, weight));
    for (OnnxFile.Node node : nodes.values()) {
      if (node.operator().equals("Add") && node.inputs().size() == 2) {
        name(node.inputs().get(0), node.inputs().get(1), prefix, renamed);
        name(node.inputs().get(1), node.inputs().get(0), prefix, renamed);
      }
    }
    weights.clear();
    weights.putAll(renamed);
  }

  private void name(String bias, String product, String prefix, Map<String, Weight> renamed) {
    OnnxFile.Node node = nodes.get(product);
    boolean isLinear =
        bias.startsWith(prefix)
            && bias.endsWith(".bias")
            && node != null
            && node.operator().equals("MatMul")
            && node.inputs().size() == 2;
    if (isLinear && weights.containsKey(node.inputs().get(1))) {
      String name = bias.substring(prefix.length(), bias.length() - ".bias".length()) + ".weight";
      Weight weight = renamed.remove(node.inputs().get(1));
      if (weight != null) { // else two products share it, and one will be missed
        renamed.put(name, new Weight(weight.tensor(), true));
      }
    }
  }

  private BertShape findShape(String prefix) throws ModelFileException {
    List<Long> words = dims(WORDS, 2);
    int depth = 0;
    while (weights.containsKey("encoder.layer." + depth + "." + QUERY)) {
      depth++;
    }
    requireCount("Softmax", depth);
    requireCount("Erf", depth);
    requireCount("MatMul", 8 * depth); // six of weights, two of attention
    int heads = 0;
    for (int i = 0; i < depth; i++) {
      int found = heads(prefix + "encoder.layer." + i + "." + QUERY);
      if (i > 0 && found != heads) {
        throw new ModelFileException(
            file, found + " heads in block " + i, heads + " as in the others");
      }
      heads = found;
    }
    try {
      return new BertShape(
          words.getFirst().intValue(),
          dims("embeddings.position_embeddings.weight", 2).getFirst().intValue(),
          dims("embeddings.token_type_embeddings.weight", 2).getFirst().intValue(),
          words.getLast().intValue(),
          heads,
          dims("encoder.layer.0.intermediate.dense.bias", 1).getFirst().intValue(),
          depth,
          eps());
    } catch (IllegalArgumentException e) {
      throw (ModelFileException)
          new ModelFileException(file + " is of no possible shape: " + e.getMessage()).initCause(e);
    }
  }

  private void requireCount(String operator, int expected) throws ModelFileException {
    long count = nodes.values().stream().filter(n -> n.operator().equals(operator)).count();
    if (count != expected) {
      throw new ModelFileException(
          file,
          count + " nodes of operator " + operator,
          expected + " as the biases of queries tell");
    }
  }

  private List<Long> dims(String name, int count) throws ModelFileException {
    List<Long> dims = shape(name);
    if (dims == null || dims.size() != count) {
      throw new ModelFileException(
          file,
          dims == null ? "no tensor " + name : "tensor " + name + " of " + BertReader.text(dims),
          "one of " + count + " dimensions");
    }
    return dims;
  }

  /** What the queries are reshaped to says how many heads there are. */
  private int heads(String bias) throws ModelFileException {
    for (OnnxFile.Node node : nodes.values()) {
      if (node.operator().equals("Reshape") && node.inputs().size() == 2) {
        OnnxFile.Node queries = nodes.get(node.inputs().getFirst());
        if (queries != null && queries.inputs().contains(bias)) {
          return heads(node.inputs().getLast(), node.name());
        }
      }
    }
    throw new ModelFileException(file, "no Reshape of what " + bias + " is added to", "one");
  }

  /** The third of four lengths: texts, tokens, heads, features of a head. */
  private int heads(String lengths, String reshape) throws ModelFileException {
    OnnxTensor constant = onnx.tensor(lengths);
    OnnxFile.Node concat = nodes.get(lengths);
    long[] found = {};
    if (constant != null && constant.dims().equals(List.of(4L))) {
      found = new long[] {constant.integers()[2]};
    } else if (concat != null
        && concat.operator().equals("Concat")
        && concat.inputs().size() == 4
        && onnx.tensor(concat.inputs().get(2)) != null) {
      found = onnx.tensor(concat.inputs().get(2)).integers();
    }
    if (found.length != 1 || found[0] < 1 || found[0] > Integer.MAX_VALUE) {
      throw new ModelFileException(
          file, "no constant number of heads in " + reshape, "the third of four lengths to be one");
    }
    return (int) found[0];
  }

  /** What all normalizations add to the variance. */
  private float eps() throws ModelFileException {
    float eps = Float.NaN;
    for (OnnxFile.Node node : nodes.values()) {
      float found = eps(node);
      if (!Float.isNaN(eps) && !Float.isNaN(found) && found != eps) {
        throw new ModelFileException(file, "the epsilons " + eps + " and " + found, "a single one");
      }
      eps = Float.isNaN(found) ? eps : found;
    }
    return eps; // NaN is refused by the shape
  }

  private float eps(OnnxFile.Node node) throws ModelFileException {
    if (node.operator().equals("LayerNormalization")) {
      return Float.isNaN(node.eps()) ? 1e-5f : node.eps(); // ONNX' own default
    }
    if (node.operator().equals("Sqrt") && !node.inputs().isEmpty()) {
      OnnxFile.Node sum = nodes.get(node.inputs().getFirst());
      if (sum != null && sum.operator().equals("Add")) {
        for (String input : sum.inputs()) {
          if (onnx.tensor(input) != null) {
            return onnx.tensor(input).number();
          }
        }
      }
    }
    return Float.NaN;
  }

  BertShape shape() {
    return shape;
  }

  @Override
  public String file() {
    return file;
  }

  @Override
  public Set<String> names() {
    return weights.keySet();
  }

  @Override
  public List<Long> shape(String name) {
    Weight weight = weights.get(name);
    if (weight == null) {
      return null;
    }
    List<Long> dims = weight.tensor().dims();
    return weight.transposed() ? dims.reversed() : dims;
  }

  @Override
  public void read(String name, FloatMatrix into) {
    Weight weight = weights.get(name);
    weight.tensor().read(into, weight.transposed());
  }
}
