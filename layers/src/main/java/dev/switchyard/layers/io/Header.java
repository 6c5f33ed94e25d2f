package dev.switchyard.layers.io;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/**
 * The header of a safetensors file: {@code {"name": {"dtype": "F32", "shape": [2, 3],
 * "data_offsets": [0, 24]}, "__metadata__": {"key": "text"}}}. The tensors follow each other
 * without a gap and fill the data exactly.
 *
 * @param tensors in the order of their data
 * @param metadata free text by key
 */
record Header(List<TensorInfo> tensors, Map<String, String> metadata) {
  /** The format's limit, in bytes. */
  static final int LIMIT = 100_000_000;

  static final String METADATA = "__metadata__";

  /** The key under which the checksum is kept; the text that it covers is without it. */
  static final String CHECKSUM = "switchyard.sha256";

  /** More than any library of arrays has; keeps a header from asking for long lists. */
  private static final int DIMENSIONS = 64;

  Header {
    tensors =
        tensors.stream()
            .sorted(
                Comparator.comparingLong(TensorInfo::begin)
                    .thenComparingLong(TensorInfo::end)
                    .thenComparing(TensorInfo::name))
            .toList();
  }

  /** Reads and checks a header over so many bytes of data. */
  static Header parse(String file, byte[] json, long dataBytes) throws MalformedFileException {
    JsonReader reader = new JsonReader(file, json);
    List<TensorInfo> tensors = new ArrayList<>();
    Map<String, String> metadata = new TreeMap<>();
    reader.object(
        name -> {
          if (!name.equals(METADATA)) {
            tensors.add(new Entry(file, name).read(reader));
          } else if (!reader.skipNull()) {
            reader.object(key -> metadata.put(key, reader.string()));
          }
        });
    reader.end();
    Header header = new Header(tensors, metadata);
    header.checkCoverage(file, dataBytes);
    return header;
  }

  private void checkCoverage(String file, long dataBytes) throws MalformedFileException {
    long end = 0;
    for (TensorInfo tensor : tensors) {
      if (tensor.begin() != end) {
        throw new MalformedFileException(
            String.format(
                Locale.ROOT,
                "%s has %s at bytes %d to %d, but the one before it ends at %d (expected neither a"
                    + " gap nor an overlap)",
                file,
                tensor,
                tensor.begin(),
                tensor.end(),
                end));
      }
      end = tensor.end();
    }
    if (end != dataBytes) {
      throw new MalformedFileException(
          String.format(
              Locale.ROOT,
              "%s holds %d bytes of data, but its tensors end at %d (expected the same)",
              file,
              dataBytes,
              end));
    }
  }

  /** The header in one fixed form, so that equal headers have equal checksums. */
  byte[] json() {
    StringBuilder json = new StringBuilder("{\"" + METADATA + "\":{");
    String separator = "";
    for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
      json.append(separator);
      quote(entry.getKey(), json).append(':');
      quote(entry.getValue(), json);
      separator = ",";
    }
    json.append('}');
    for (TensorInfo tensor : tensors) {
      quote(tensor.name(), json.append(',')).append(":{\"dtype\":\"").append(tensor.dtype());
      json.append("\",\"shape\":")
          .append(tensor.shape().stream().map(String::valueOf).collect(list()))
          .append(",\"data_offsets\":[" + tensor.begin() + "," + tensor.end() + "]}");
    }
    return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
  }

  private static Collector<CharSequence, ?, String> list() {
    return Collectors.joining(",", "[", "]");
  }

  private static StringBuilder quote(String text, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ') {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c == '"' || c == '\\' ? "\\" : "").append(c);
      }
    }
    return json.append('"');
  }

  /** A digest that has taken in all of the header but the checksum, and waits for the data. */
  MessageDigest digest() {
    Map<String, String> covered = new TreeMap<>(metadata);
    covered.remove(CHECKSUM);
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(new Header(tensors, covered).json());
      return digest;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** The members of one tensor's object. */
  private static final class Entry {
    private final String file;
    private final String name;
    private String dtype;
    private List<Long> shape;
    private List<Long> offsets;

    Entry(String file, String name) {
      this.file = file;
      this.name = name;
    }

    TensorInfo read(JsonReader reader) throws MalformedFileException {
      reader.object(
          key -> {
            switch (key) {
              case "dtype" -> dtype = reader.string();
              case "shape" -> shape = reader.integers(DIMENSIONS);
              case "data_offsets" -> offsets = reader.integers(2);
              default -> reader.skipValue(); // allowed, and of no meaning
            }
          });
      if (dtype == null || shape == null || offsets == null) {
        throw problem(
            "lacks " + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"),
            "dtype, shape and data_offsets");
      }
      if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
        throw problem("has data_offsets " + offsets, "where it begins and where it ends");
      }
      Dtype type =
          Arrays.stream(Dtype.values())
              .filter(known -> known.name().equals(dtype))
              .findAny()
              .orElseThrow(
                  () -> problem("has dtype " + dtype, "one of " + List.of(Dtype.values())));
      long bytes = offsets.get(1) - offsets.get(0);
      if (!fits(type, bytes)) {
        throw problem(
            "is " + TensorInfo.text(type, shape) + " in " + bytes + " bytes",
            "the product of the shape times " + type.bits() + " bits");
      }
      return new TensorInfo(name, type, shape, offsets.get(0), offsets.get(1));
    }

    private boolean fits(Dtype type, long bytes) {
      try {
        long bits = Math.multiplyExact(TensorInfo.elements(shape), type.bits());
        return bits == Math.multiplyExact(bytes, Byte.SIZE); // no part of a byte is left over
      } catch (ArithmeticException _) { // larger than any file
        return false;
      }
    }

    private MalformedFileException problem(String given, String expected) {
      return new MalformedFileException(
          file + ": tensor " + name + " " + given + " (expected " + expected + ")");
    }
  }
}
