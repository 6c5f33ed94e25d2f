package dev.switchyard.encoders;

import dev.switchyard.layers.io.ForeignFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an ONNX model says of its computation (onnx.proto of the ONNX project): nodes, their names
 * of inputs and outputs, and tensors, whose elements stay in the file. Only what tells one encoder
 * from another is read.
 */
final class OnnxFile {
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  // Numbers of fields.
  private static final int MODEL_GRAPH = 7;
  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int GRAPH_OUTPUT = 12;
  private static final int NODE_INPUT = 1;
  private static final int NODE_OUTPUT = 2;
  private static final int NODE_NAME = 3;
  private static final int NODE_OPERATOR = 4;
  private static final int NODE_ATTRIBUTE = 5;
  private static final int ATTRIBUTE_NAME = 1;
  private static final int ATTRIBUTE_FLOAT = 2;
  private static final int ATTRIBUTE_TENSOR = 5;
  private static final int TENSOR_DIMS = 1;
  private static final int TENSOR_TYPE = 2;
  private static final int TENSOR_NAME = 8;
  private static final int TENSOR_RAW = 9;
  private static final int OUTPUT_NAME = 1;

  /** Many times what a large encoder has; bounds what a file of tiny parts can ask for. */
  private static final int MOST_PARTS = 100_000;

  private static final int MOST_DIMENSIONS = 8;

  /** The limit of Protocol Buffers, and of a buffer. */
  private static final int LARGEST = Integer.MAX_VALUE;

  private final String file;
  private final MemorySegment data;
  private final Map<String, Node> nodes = new LinkedHashMap<>(); // by each output
  private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
  private final List<String> outputs = new ArrayList<>();
  private int parts;

  /**
   * One operation.
   *
   * @param eps its attribute epsilon, NaN if it has none
   */
  record Node(String name, String operator, List<String> inputs, float eps) {}

  private OnnxFile(String file, MemorySegment data) {
    this.file = file;
    this.data = data;
  }

  /**
   * The bytes of a file, as they are now. Not mapped: where a mapped file is cut meanwhile, the JVM
   * throws an InternalError, at a place that cannot be told.
   */
  static MemorySegment load(String file, SeekableByteChannel in, Arena arena) throws IOException {
    long size = in.size();
    if (size > LARGEST) {
      throw new ModelFileException(
          file, size + " bytes", "at most " + LARGEST + ", which a message of this format has");
    }
    MemorySegment data = arena.allocate(size);
    ByteBuffer left = data.asByteBuffer();
    while (left.hasRemaining()) {
      if (in.read(left) < 0) {
        throw new ModelFileException(
            file
                + " was cut while it was read: it ends at byte "
                + left.position()
                + " (expected "
                + left.remaining()
                + " more)");
      }
    }
    byte[] head = data.asSlice(0, Math.min(ForeignFile.HEAD, size)).toArray(ValueLayout.JAVA_BYTE);
    ModelFileException.refuseForeign(file, head);
    return data;
  }

  /** Reads a model from the bytes of its file. */
  static OnnxFile read(String file, MemorySegment data) throws ModelFileException {
    OnnxFile onnx = new OnnxFile(file, data);
    ProtobufMessage model = new ProtobufMessage(file, data, 0, data.byteSize());
    boolean found = false;
    while (model.next()) {
      if (model.field() == MODEL_GRAPH) {
        onnx.readGraph(model.message());
        found = true;
      }
    }
    if (!found) {
      throw new ModelFileException(file, "no graph", "an ONNX model");
    }
    return onnx;
  }

  private void readGraph(ProtobufMessage graph) throws ModelFileException {
    while (graph.next()) {
      switch (graph.field()) {
        case GRAPH_NODE -> readNode(graph.message());
        case GRAPH_INITIALIZER -> {
          OnnxTensor tensor = readTensor(graph.message());
          put(tensors, tensor.name(), tensor);
        }
        case GRAPH_OUTPUT -> {
          ProtobufMessage output = graph.message();
          while (output.next()) {
            if (output.field() == OUTPUT_NAME) {
              outputs.add(part(output.text()));
            }
          }
        }
        default -> {} // inputs, documentation
      }
    }
  }

  private void readNode(ProtobufMessage message) throws ModelFileException {
    String name = "";
    String operator = "";
    List<String> inputs = new ArrayList<>();
    List<String> results = new ArrayList<>();
    float eps = Float.NaN;
    OnnxTensor value = null;
    while (message.next()) {
      switch (message.field()) {
        case NODE_INPUT -> inputs.add(part(message.text()));
        case NODE_OUTPUT -> results.add(part(message.text()));
        case NODE_NAME -> name = message.text();
        case NODE_OPERATOR -> operator = message.text();
        case NODE_ATTRIBUTE -> {
          ProtobufMessage attribute = message.message();
          String key = "";
          while (attribute.next()) {
            switch (attribute.field()) {
              case ATTRIBUTE_NAME -> key = attribute.text();
              case ATTRIBUTE_FLOAT -> eps = key.equals("epsilon") ? attribute.number() : eps;
              case ATTRIBUTE_TENSOR -> value = readTensor(attribute.message());
              default -> {}
            }
          }
        }
        default -> {} // documentation
      }
    }
    Node node = new Node(name, operator, List.copyOf(inputs), eps);
    for (String result : results) {
      if (operator.equals("Constant") && value != null) {
        put(tensors, result, value);
      } else {
        put(nodes, result, node);
      }
    }
  }

  private OnnxTensor readTensor(ProtobufMessage message) throws ModelFileException {
    String name = "";
    int type = 0;
    List<Long> dims = new ArrayList<>();
    long begin = -1;
    long bytes = 0;
    while (message.next()) {
      switch (message.field()) {
        case TENSOR_DIMS -> message.addIntegers(dims, MOST_DIMENSIONS);
        case TENSOR_TYPE -> type = (int) message.integer();
        case TENSOR_NAME -> name = part(message.text());
        case TENSOR_RAW -> {
          begin = message.begin();
          bytes = message.length();
        }
        default -> {} // elements in other fields or files, which are asked for in vain
      }
    }
    return new OnnxTensor(file, data, name, type, List.copyOf(dims), begin, bytes);
  }

  /** Counts a name, of which there may be many but not any number. */
  private String part(String name) throws ModelFileException {
    if (++parts > MOST_PARTS) {
      throw new ModelFileException(file, "more than " + MOST_PARTS + " names", "at most so many");
    }
    return name;
  }

  private <T> void put(Map<String, T> map, String name, T value) throws ModelFileException {
    if (map.put(name, value) != null) {
      throw new ModelFileException(file, "the name \"" + name + "\" twice", "each once");
    }
  }

  /** The names of what the model computes. */
  List<String> outputs() {
    return outputs;
  }

  /** The node with an output of that name; null if there is none. */
  Node node(String output) {
    return nodes.get(output);
  }

  /** The tensor of that name, be it a weight or a constant; null if there is none. */
  OnnxTensor tensor(String name) {
    return tensors.get(name);
  }
}
