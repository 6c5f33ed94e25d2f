package dev.switchyard.encoders;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** The hidden states that ONNX Runtime computes of one text at a time, without padding. */
final class OnnxRuntime implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final boolean masked;

  /**
   * @param masked whether the model takes a mask, of which all is 1
   */
  OnnxRuntime(Path file, boolean masked) throws OrtException {
    this.masked = masked;
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(2);
      session = environment.createSession(file.toString(), options);
    }
  }

  /** [tokens][features]. */
  float[][] run(int[] ids) throws OrtException {
    long[] ones = new long[ids.length];
    Arrays.fill(ones, 1);
    Map<String, OnnxTensor> inputs = new HashMap<>();
    inputs.put("input_ids", tensor(IntStream.of(ids).asLongStream().toArray()));
    inputs.put("token_type_ids", tensor(new long[ids.length]));
    if (masked) {
      inputs.put("attention_mask", tensor(ones));
    }
    try (OrtSession.Result result = session.run(inputs)) {
      return ((float[][][]) result.get(0).getValue())[0];
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor tensor(long[] values) throws OrtException {
    return OnnxTensor.createTensor(
        environment, LongBuffer.wrap(values), new long[] {1, values.length});
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
