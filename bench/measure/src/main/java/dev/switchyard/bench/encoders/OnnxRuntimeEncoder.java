package dev.switchyard.bench.encoders;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** The same encoder as ONNX Runtime runs it, in batches that are padded to their longest text. */
final class OnnxRuntimeEncoder implements AutoCloseable {
  private static final int TEXTS_A_BATCH = 8;

  /**
   * ONNX Runtime 1.29 ends the JVM, without a word, if its command line is longer than about this:
   * 3,980 bytes were fine, 3,984 were not.
   */
  private static final int LONGEST_COMMAND_LINE = 3_900;

  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private final OrtEnvironment environment;
  private final OrtSession session;

  OnnxRuntimeEncoder(Path model, int threads) throws OrtException {
    requireShortCommandLine();
    environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      session = environment.createSession(model.toString(), options);
    }
  }

  private static void requireShortCommandLine() {
    int length;
    try {
      length = Files.readAllBytes(COMMAND_LINE).length;
    } catch (IOException e) {
      return; // not Linux, where this was seen
    }
    if (length > LONGEST_COMMAND_LINE) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the command line of this JVM has %d bytes, which ONNX Runtime does not survive"
                  + " (expected at most %d: its class path is shorter in a folder with a short"
                  + " name)",
              length,
              LONGEST_COMMAND_LINE));
    }
  }

  /**
   * Encodes texts.
   *
   * @param texts ids of their tokens, by ascending length
   * @return the hidden state of the first token of each
   */
  float[][] firstStates(int[][] texts) throws OrtException {
    boolean equal = texts[0].length == texts[texts.length - 1].length;
    int size = equal ? texts.length : TEXTS_A_BATCH;
    float[][] first = new float[texts.length][];
    for (int from = 0; from < texts.length; from += size) {
      run(texts, from, Math.min(texts.length, from + size), first);
    }
    return first;
  }

  private void run(int[][] texts, int from, int to, float[][] first) throws OrtException {
    int length = texts[to - 1].length;
    LongBuffer ids = LongBuffer.allocate((to - from) * length);
    LongBuffer mask = LongBuffer.allocate((to - from) * length);
    for (int i = from; i < to; i++) {
      for (int t = 0; t < texts[i].length; t++) {
        ids.put((i - from) * length + t, texts[i][t]);
        mask.put((i - from) * length + t, 1);
      }
    }
    long[] shape = {to - from, length};
    LongBuffer types = LongBuffer.allocate((to - from) * length);
    try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids, shape);
        OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask, shape);
        OnnxTensor typeTensor = OnnxTensor.createTensor(environment, types, shape);
        OrtSession.Result result =
            session.run(
                Map.of(
                    "input_ids", idTensor,
                    "attention_mask", maskTensor,
                    "token_type_ids", typeTensor))) {
      FloatBuffer states = ((OnnxTensor) result.get(0)).getFloatBuffer();
      int features = states.remaining() / ((to - from) * length);
      for (int i = from; i < to; i++) {
        first[i] = new float[features];
        states.get((i - from) * length * features, first[i]);
      }
    }
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
