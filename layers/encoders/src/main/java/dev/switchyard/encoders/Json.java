package dev.switchyard.encoders;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.switchyard.layers.io.ForeignFile;
import java.io.ByteArrayInputStream;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A value in a JSON file, which knows where it stands so that it can say what is wrong with it.
 *
 * <p>A tree, as the files are a few megabytes. The parser sees to it that it is not too deep, and
 * that no name has half a surrogate pair.
 */
final class Json {
  private final String file;
  private final String path;
  private final Object value; // Map, List, String, Long, Double, Boolean or null

  private Json(String file, String path, Object value) {
    this.file = file;
    this.path = path;
    this.value = value;
  }

  /**
   * Reads a file that holds one value. With a factory of its own: one that is shared keeps the
   * names of every file, and copies them for each.
   */
  static Json read(String file, InputStream in) throws IOException {
    byte[] head = in.readNBytes(ForeignFile.HEAD);
    InputStream whole = new SequenceInputStream(new ByteArrayInputStream(head), in);
    try (JsonParser parser = new JsonFactory().createParser(whole)) {
      ModelFileException.refuseForeign(file, head);
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new ModelFileException(file, "no content", "JSON");
      }
      Json json = new Json(file, "", value(file, parser, first));
      if (parser.nextToken() != null) {
        throw new ModelFileException(file, "more after its first value", "one JSON value");
      }
      return json;
    } catch (JsonProcessingException e) {
      throw notJson(file, e.getOriginalMessage(), e);
    } catch (CharConversionException e) { // of what begins like UTF-16 or UTF-32
      throw notJson(file, e.getMessage(), e);
    }
  }

  private static ModelFileException notJson(String file, String why, IOException cause) {
    return (ModelFileException)
        new ModelFileException(file + " is not JSON: " + why).initCause(cause);
  }

  private static Object value(String file, JsonParser parser, JsonToken token) throws IOException {
    return switch (token) {
      case START_OBJECT -> object(file, parser);
      case START_ARRAY -> {
        List<Object> items = new ArrayList<>();
        for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
          items.add(value(file, parser, t));
        }
        yield items;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> null;
    };
  }

  private static Map<String, Object> object(String file, JsonParser parser) throws IOException {
    Map<String, Object> members = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      Object member = value(file, parser, parser.nextToken());
      if (members.containsKey(key)) {
        throw new ModelFileException(file, "the name \"" + key + "\" twice", "each once");
      }
      members.put(key, member);
    }
    return members;
  }

  /** A member of this object; {@link #isNull} if there is none. */
  Json get(String key) throws ModelFileException {
    return new Json(file, path.isEmpty() ? key : path + "." + key, map().get(key));
  }

  /** The members of this object. */
  Map<String, Json> members() throws ModelFileException {
    Map<String, Json> members = new LinkedHashMap<>();
    for (String key : map().keySet()) {
      members.put(key, get(key));
    }
    return members;
  }

  @SuppressWarnings("unchecked") // only object(...) makes maps
  private Map<String, Object> map() throws ModelFileException {
    if (value instanceof Map) {
      return (Map<String, Object>) value;
    }
    throw problem("an object");
  }

  /** The items of this array. */
  List<Json> items() throws ModelFileException {
    if (!(value instanceof List<?> list)) {
      throw problem("an array");
    }
    List<Json> items = new ArrayList<>();
    for (Object item : list) {
      items.add(new Json(file, path + "[" + items.size() + "]", item));
    }
    return items;
  }

  boolean isNull() {
    return value == null;
  }

  boolean isList() {
    return value instanceof List;
  }

  /** What messages call the file. */
  String file() {
    return file;
  }

  String text() throws ModelFileException {
    if (value instanceof String text) {
      return text;
    }
    throw problem("a string");
  }

  /** This text, or another where there is nothing. */
  String textOr(String other) throws ModelFileException {
    return isNull() ? other : text();
  }

  /** This truth value, or another where there is nothing. */
  boolean boolOr(boolean other) throws ModelFileException {
    return isNull() ? other : bool();
  }

  /** This whole number, or another where there is nothing. */
  int integerOr(int from, int to, int other) throws ModelFileException {
    return isNull() ? other : integer(from, to);
  }

  boolean bool() throws ModelFileException {
    if (value instanceof Boolean bool) {
      return bool;
    }
    throw problem("true or false");
  }

  /** A whole number within a range. */
  int integer(int from, int to) throws ModelFileException {
    if (value instanceof Long number && number >= from && number <= to) {
      return number.intValue();
    }
    throw problem("a whole number from " + from + " to " + to);
  }

  /** Any number. */
  double number() throws ModelFileException {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw problem("a number");
  }

  /** Refuses any value but one. */
  void require(Object only) throws ModelFileException {
    if (!only.equals(value)) {
      throw problem(String.valueOf(only));
    }
  }

  ModelFileException problem(String expected) {
    String given =
        switch (value) {
          case null -> "nothing";
          case Map<?, ?> _ -> "an object";
          case List<?> _ -> "an array";
          case String text when text.isEmpty() -> "an empty string";
          case String text when text.length() > 100 -> "a long string";
          default -> value.toString();
        };
    return new ModelFileException(file, given + (path.isEmpty() ? "" : " for " + path), expected);
  }
}
