package dev.switchyard.encoders;

import dev.switchyard.kernels.data.FloatMatrix;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Writes a {@link TinyBert} as an ONNX model of the kind that PyTorch exports, which the ONNX
 * Runtime runs too. Tests change its nodes and tensors before it becomes bytes.
 */
final class TinyOnnx {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  final List<Node> nodes = new ArrayList<>();
  final List<Tensor> tensors = new ArrayList<>();
  String output = "last_hidden_state";

  private final TinyBert bert;
  private final String prefix;

  record Node(String operator, List<String> inputs, String output, List<byte[]> attributes) {
    Node withOperator(String other) {
      return new Node(other, inputs, output, attributes);
    }
  }

  record Tensor(String name, int type, long[] dims, byte[] raw) {
    Tensor withDims(long... other) {
      return new Tensor(name, type, other, raw);
    }
  }

  /**
   * @param prefix before the names of weights
   * @param fused whether normalizations are one operator, as since opset 17
   */
  TinyOnnx(TinyBert bert, String prefix, boolean fused) {
    this.bert = bert;
    this.prefix = prefix;
    int features = bert.shape.features();
    bert.weights.forEach(
        (name, value) -> {
          if (TinyBert.isVector(name)) {
            tensors.add(floats(prefix + name, value, value.cols()));
          } else if (name.startsWith("embeddings")) {
            tensors.add(floats(prefix + name, value, value.rows(), value.cols()));
          }
        });
    long[] places = LongStream.range(0, bert.shape.positions()).toArray();
    tensors.add(integers("position_ids", places, 1, places.length));

    node("Shape", "shape", "input_ids");
    node("Gather", "tokens", "shape", constant("axis1", new long[] {1}));
    node("Slice", "places", "position_ids", constant("zero", new long[1]), "tokens", "axis1");
    node("Gather", "words", prefix + "embeddings.word_embeddings.weight", "input_ids");
    node("Gather", "types", prefix + "embeddings.token_type_embeddings.weight", "token_type_ids");
    node("Gather", "positions", prefix + "embeddings.position_embeddings.weight", "places");
    node("Add", "words+types", "words", "types");
    node("Add", "sum", "words+types", "positions");
    String x = norm("embeddings.LayerNorm", "sum", fused);
    for (int i = 0; i < bert.shape.depth(); i++) {
      String layer = "encoder.layer." + i + ".";
      String q = heads(linear(layer + "attention.self.query", x), 0, 2, 1, 3);
      String k = heads(linear(layer + "attention.self.key", x), 0, 2, 3, 1);
      String v = heads(linear(layer + "attention.self.value", x), 0, 2, 1, 3);
      node("MatMul", layer + "qk", q, k);
      float scale = (float) Math.sqrt((double) features / bert.shape.heads());
      node("Div", layer + "scores", layer + "qk", scalar(layer + "scale", scale));
      node("Softmax", layer + "p", List.of(layer + "scores"), attribute("axis", 3));
      node("MatMul", layer + "pv", layer + "p", v);
      node("Transpose", layer + "back", List.of(layer + "pv"), attribute("perm", 0, 2, 1, 3));
      long[] together = {0, 0, features};
      node("Reshape", layer + "o", layer + "back", constant(layer + "together", together));
      node("Add", layer + "h", linear(layer + "attention.output.dense", layer + "o"), x);
      String h = norm(layer + "attention.output.LayerNorm", layer + "h", fused);
      String up = linear(layer + "intermediate.dense", h);
      node("Div", layer + "up/sqrt2", up, scalar(layer + "sqrt2", (float) Math.sqrt(2)));
      node("Erf", layer + "erf", layer + "up/sqrt2");
      node("Add", layer + "erf+1", layer + "erf", scalar(layer + "one", 1));
      node("Mul", layer + "up*erf", up, layer + "erf+1");
      node("Mul", layer + "gelu", layer + "up*erf", scalar(layer + "half", 0.5f));
      node("Add", layer + "y", linear(layer + "output.dense", layer + "gelu"), h);
      x = norm(layer + "output.LayerNorm", layer + "y", fused);
    }
    node("Identity", output, x);
  }

  private String linear(String name, String x) {
    FloatMatrix weight = bert.weights.get(name + ".weight");
    FloatMatrix transposed =
        FloatMatrix.allocate(/* rows= */ weight.cols(), /* cols= */ weight.rows());
    for (int i = 0; i < weight.rows(); i++) {
      for (int j = 0; j < weight.cols(); j++) {
        transposed.set(j, i, weight.get(i, j));
      }
    }
    String made = "onnx::MatMul_" + tensors.size();
    tensors.add(floats(made, transposed, transposed.rows(), transposed.cols()));
    node("MatMul", name + "/MatMul", x, made);
    node("Add", name + "/Add", prefix + name + ".bias", name + "/MatMul");
    return name + "/Add";
  }

  private String heads(String x, long... order) {
    int heads = bert.shape.heads();
    long[] lengths = {0, 0, heads, bert.shape.features() / heads};
    node("Reshape", x + "/heads", x, constant(x + "/lengths", lengths));
    node("Transpose", x + "/Transpose", List.of(x + "/heads"), attribute("perm", order));
    return x + "/Transpose";
  }

  private String norm(String name, String x, boolean fused) {
    String gain = prefix + name + ".weight";
    String shift = prefix + name + ".bias";
    if (fused) {
      node(
          "LayerNormalization",
          name,
          List.of(x, gain, shift),
          attribute("axis", -1),
          floatAttribute("epsilon", bert.shape.eps()));
      return name;
    }
    node("ReduceMean", name + "/mean", List.of(x), attribute("axes", -1));
    node("Sub", name + "/Sub", x, name + "/mean");
    node("Pow", name + "/Pow", name + "/Sub", scalar(name + "/two", 2));
    node("ReduceMean", name + "/variance", List.of(name + "/Pow"), attribute("axes", -1));
    node("Add", name + "/sum", name + "/variance", scalar(name + "/eps", bert.shape.eps()));
    node("Sqrt", name + "/Sqrt", name + "/sum");
    node("Div", name + "/Div", name + "/Sub", name + "/Sqrt");
    node("Mul", name + "/Mul", name + "/Div", gain);
    node("Add", name, name + "/Mul", shift);
    return name;
  }

  // Parts of the graph.

  private void node(String operator, String output, String... inputs) {
    node(operator, output, List.of(inputs));
  }

  void node(String operator, String result, List<String> inputs, byte[]... attributes) {
    nodes.add(new Node(operator, inputs, result, List.of(attributes)));
  }

  /** A constant, as a node rather than an initializer. */
  String constant(String name, long[] values) {
    byte[] value = tensor(integers("", values, values.length));
    node("Constant", name, List.of(), tensorAttribute("value", value));
    return name;
  }

  String scalar(String name, float value) {
    byte[] tensor = tensor(floats("", FloatMatrix.of(new float[] {value}, 1, 1)));
    node("Constant", name, List.of(), tensorAttribute("value", tensor));
    return name;
  }

  static Tensor floats(String name, FloatMatrix values, long... dims) {
    byte[] raw = new byte[Float.BYTES * values.data().length];
    little(raw).asFloatBuffer().put(values.data());
    return new Tensor(name, FLOAT, dims, raw);
  }

  static Tensor integers(String name, long[] values, long... dims) {
    byte[] raw = new byte[Long.BYTES * values.length];
    little(raw).asLongBuffer().put(values);
    return new Tensor(name, INT64, dims, raw);
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  // Bytes.

  /** The fields of a message. */
  private static final class Message {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Message varint(long value) {
      long rest = value;
      while (rest < 0 || rest > 0x7f) {
        out.write(((int) rest & 0x7f) | 0x80);
        rest >>>= 7;
      }
      out.write((int) rest);
      return this;
    }

    Message integer(int field, long value) {
      return varint((long) field << 3).varint(value);
    }

    Message number(int field, float value) {
      byte[] bytes = new byte[Float.BYTES];
      little(bytes).putFloat(value);
      varint(((long) field << 3) | 5).out.writeBytes(bytes);
      return this;
    }

    Message bytes(int field, byte[] value) {
      varint(((long) field << 3) | 2).varint(value.length).out.writeBytes(value);
      return this;
    }

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    byte[] end() {
      return out.toByteArray();
    }
  }

  /** A tensor of type 1 or 7; without raw data if that is null. */
  static byte[] tensor(Tensor tensor) {
    Message message = new Message();
    for (long length : tensor.dims()) {
      message.integer(1, length);
    }
    message.integer(2, tensor.type());
    if (tensor.raw() != null) {
      message.bytes(9, tensor.raw());
    }
    return message.text(8, tensor.name()).end();
  }

  static byte[] attribute(String name, long... values) {
    Message message = new Message().text(1, name);
    boolean list = name.equals("perm") || name.equals("axes");
    for (long value : values) {
      message.integer(list ? 8 : 3, value);
    }
    return message.integer(20, list ? 7 : 2).end();
  }

  private static byte[] floatAttribute(String name, float value) {
    return new Message().text(1, name).number(2, value).integer(20, 1).end();
  }

  private static byte[] tensorAttribute(String name, byte[] tensor) {
    return new Message().text(1, name).bytes(5, tensor).integer(20, 4).end();
  }

  private static byte[] value(String name, int type) {
    byte[] shaped = new Message().integer(1, type).bytes(2, anyShape()).end();
    return new Message().text(1, name).bytes(2, new Message().bytes(1, shaped).end()).end();
  }

  private static byte[] anyShape() {
    byte[] any = new Message().text(2, "n").end();
    byte[] other = new Message().text(2, "m").end();
    return new Message().bytes(1, any).bytes(1, other).end();
  }

  byte[] bytes() {
    Message graph = new Message();
    for (Node node : nodes) {
      Message message = new Message();
      node.inputs().forEach(input -> message.text(1, input));
      message.text(2, node.output()).text(3, "/" + node.output()).text(4, node.operator());
      node.attributes().forEach(attribute -> message.bytes(5, attribute));
      graph.bytes(1, message.end());
    }
    graph.text(2, "graph");
    tensors.forEach(tensor -> graph.bytes(5, tensor(tensor)));
    graph.bytes(11, value("input_ids", INT64)).bytes(11, value("token_type_ids", INT64));
    graph.bytes(12, new Message().text(1, output).bytes(2, floatsOfAnyShape()).end());
    return new Message()
        .integer(1, 6)
        .text(2, "switchyard")
        .bytes(8, new Message().integer(2, fusedOpset()).end())
        .bytes(7, graph.end())
        .end();
  }

  private int fusedOpset() {
    return nodes.stream().anyMatch(node -> node.operator().equals("LayerNormalization")) ? 17 : 11;
  }

  private static byte[] floatsOfAnyShape() {
    return new Message().bytes(1, new Message().integer(1, FLOAT).end()).end();
  }
}
