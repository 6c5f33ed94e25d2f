package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.io.SafetensorsWriter;
import dev.switchyard.layers.io.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models in the Hugging Face format, and the words with which others are refused. */
class SafetensorsImportTest {
  private static final BertShape SHAPE = new BertShape(11, 9, 2, 6, 2, 7, 2, 1e-12f);

  static final String CONFIG =
      "{'model_type':'bert','hidden_act':'gelu','position_embedding_type':'absolute',"
          + "'vocab_size':11,'max_position_embeddings':9,'type_vocab_size':2,'hidden_size':6,"
          + "'num_attention_heads':2,'intermediate_size':7,'num_hidden_layers':2,"
          + "'layer_norm_eps':1e-12}";

  @TempDir Path folder;

  private BertEncoder read(SafetensorsWriter writer, BertShape shape) throws IOException {
    Path file = folder.resolve("model.safetensors");
    writer.write(file);
    return BertEncoder.readSafetensors(file, shape, Precision.FLOAT32);
  }

  private BertShape shape(String config) throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, config.replace('\'', '"'));
    return BertShape.read(file);
  }

  /** As the configuration of the base model, whatever is left out. */
  @Test
  void whatIsNotSaidIsAsInTheBaseModel() throws IOException {
    assertThat(shape("{'model_type':'bert'}"))
        .isEqualTo(new BertShape(30_522, 512, 2, 768, 12, 3072, 12, 1e-12f));
    assertThat(shape(CONFIG.replace(",'layer_norm_eps':1e-12", ""))).isEqualTo(SHAPE);
    assertThat(shape(CONFIG.replace("1e-12", "null"))).isEqualTo(SHAPE);
  }

  @Test
  void readsTheConfiguration() throws IOException {
    assertThat(shape(CONFIG)).isEqualTo(SHAPE);
    assertThat(shape(CONFIG.replace("'position_embedding_type':'absolute',", ""))).isEqualTo(SHAPE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'bert' | 'roberta' | roberta for model_type (expected bert)",
        "'gelu' | 'gelu_new' | gelu_new for hidden_act (expected gelu)",
        "absolute | relative_key | relative_key for position_embedding_type (expected absolute)",
        "heads':2 | heads':4 | 4 for num_attention_heads (expected a number that divides 6)",
        "size':6 | size':0 | 0 for hidden_size (expected a whole number from 1 to 16777216)",
        "layers':2 | layers':-2 | -2 for num_hidden_layers (expected a whole number from 1 to"
            + " 16777216)",
        "1e-12 | [] | an array for layer_norm_eps (expected a number)",
        "1e-12 | {} | an object for layer_norm_eps (expected a number)",
        "'bert' | 'bert','is_decoder':true | true for is_decoder (expected false)",
        "'bert' | 'bert','add_cross_attention':true | true for add_cross_attention (expected"
            + " false)",
        "1e-12 | '' | an empty string for layer_norm_eps (expected a number)",
        "1e-12 | 0 | 0 for layer_norm_eps (expected a float above 0)",
        "1e-12 | 1e999 | Infinity for layer_norm_eps (expected a float above 0)",
        "1e-12 | 1e39 | 1.0E39 for layer_norm_eps (expected a float above 0)",
        "1e-12 | '0' | 0 for layer_norm_eps (expected a number)"
      })
  void configurationsOfOthers(String part, String by, String message) {
    assertThat(CONFIG).contains(part);
    assertThatThrownBy(() -> shape(CONFIG.replace(part, by)))
        .isInstanceOf(ModelFileException.class)
        .hasMessageEndingWith("config.json has " + message);
  }

  @Test
  void prefixesPoolersAndHeadsAreLeftOut() throws IOException {
    SafetensorsWriter writer =
        new TinyBert(SHAPE)
            .safetensors("0.auto_model.")
            .floats("0.auto_model.pooler.dense.weight", new float[36], 6, 6)
            .longs("0.auto_model.embeddings.position_ids", new long[9], 1, 9)
            .floats("cls.predictions.bias", new float[11], 11)
            .floats("2.linear.bias", new float[3], 3);
    assertThat(read(writer, SHAPE).parameters()).hasSize(29);
  }

  /** As question answering by two encoders keeps them: which is meant cannot be told. */
  @Test
  void twoEncodersAreRefused() {
    SafetensorsWriter writer = new TinyBert(SHAPE).safetensors("question.");
    new TinyBert(SHAPE).weights.forEach((name, value) -> writer.matrix("context." + name, value));
    assertThatThrownBy(() -> read(writer, SHAPE))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("has 2 encoders, of which the names begin with [")
        .hasMessageEndingWith("(expected a single one)");
  }

  @Test
  void oldNamesOfLayerNormalization() throws IOException {
    TinyBert bert = new TinyBert(SHAPE);
    SafetensorsWriter writer = new SafetensorsWriter();
    bert.weights.forEach(
        (name, value) -> {
          String old =
              name.replace("LayerNorm.weight", "LayerNorm.gamma")
                  .replace("LayerNorm.bias", "LayerNorm.beta");
          if (TinyBert.isVector(name)) {
            writer.floats(old, value.data(), value.cols());
          } else {
            writer.matrix(old, value);
          }
        });
    BertEncoder encoder = read(writer, SHAPE);
    assertThat(encoder.parameters().get(3).value().data())
        .isEqualTo(bert.weights.get("embeddings.LayerNorm.weight").data());
  }

  /** Our own files have queries, keys and values as one layer; older ones vectors as rows. */
  @Test
  void whatWeWriteIsRead() throws IOException {
    BertEncoder encoder = read(new TinyBert(SHAPE).safetensors("bert."), SHAPE);
    Path file = folder.resolve("ours.safetensors");
    Weights.write(encoder.parameters(), file);
    assertThat(parametersOf(file)).isEqualTo(Fingerprint.of(encoder.parameters()));

    SafetensorsWriter rows = new SafetensorsWriter();
    Weights.of(encoder.parameters()).forEach(rows::matrix);
    rows.write(file);
    assertThat(parametersOf(file)).isEqualTo(Fingerprint.of(encoder.parameters()));
  }

  private static String parametersOf(Path file) throws IOException {
    BertEncoder encoder = BertEncoder.readSafetensors(file, SHAPE, Precision.FLOAT32);
    assertThat(encoder.parameters())
        .filteredOn(Parameter::isVector)
        .extracting(Parameter::name)
        .allMatch(TinyBert::isVector)
        .hasSize(2 + 2 * 8);
    return Fingerprint.of(encoder.parameters());
  }

  private void assertRefused(TinyBert bert, BertShape shape, String message) {
    assertThatThrownBy(() -> read(bert.safetensors(""), shape))
        .isInstanceOf(ModelFileException.class)
        .hasMessageEndingWith("model.safetensors has " + message);
  }

  @Test
  void tensorsThatAreMissingOrToo() {
    TinyBert bert = new TinyBert(SHAPE);
    bert.weights.remove("encoder.layer.1.output.dense.weight");
    assertRefused(
        bert, SHAPE, "no tensor encoder.layer.1.output.dense.weight (expected one of 6x7 floats)");

    bert = new TinyBert(SHAPE);
    bert.weights.remove("encoder.layer.0.attention.self.key.bias");
    assertRefused(
        bert,
        SHAPE,
        "no tensor encoder.layer.0.attention.self.key.bias (expected one of 6 floats)");

    bert = new TinyBert(SHAPE);
    String distances = "encoder.layer.0.attention.self.distance_embedding.weight";
    bert.weights.put(distances, FloatMatrix.allocate(17, 3));
    assertRefused(
        bert,
        SHAPE,
        "tensor "
            + distances
            + " (expected those of a BERT encoder with 2 blocks of 6 features alone)");

    bert = new TinyBert(SHAPE);
    bert.weights.put("encoder.layer.0.intermediate.dense.weight", FloatMatrix.allocate(6, 7));
    assertRefused(
        bert, SHAPE, "tensor encoder.layer.0.intermediate.dense.weight of 6x7 (expected 7x6)");
  }

  @Test
  void shapesThatAreNotTheFiles() {
    TinyBert bert = new TinyBert(SHAPE);
    assertRefused(
        bert,
        new BertShape(11, 9, 2, 6, 2, 7, 1, 1),
        "tensor encoder.layer.1.attention.output.LayerNorm.bias (expected those of a BERT encoder"
            + " with 1 blocks of 6 features alone)");
    assertRefused(
        bert,
        new BertShape(1 << 24, 9, 2, 1 << 24, 2, 7, 1 << 24, 1), // asks for nothing
        "tensor embeddings.word_embeddings.weight of 11x6 (expected 16777216x16777216)");
    assertRefused(
        bert,
        new BertShape(11, 9, 2, 6, 2, 7, 1 << 24, 1),
        "no tensor encoder.layer.2.attention.self.query.weight (expected one of 6x6 floats)");
  }

  @Test
  void typesThatAreNotFloats() {
    TinyBert bert = new TinyBert(SHAPE);
    bert.weights.remove("embeddings.LayerNorm.bias");
    assertThatThrownBy(
            () ->
                read(
                    bert.safetensors("").longs("embeddings.LayerNorm.bias", new long[6], 6), SHAPE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("embeddings.LayerNorm.bias of I64[6] (expected one of [F32");
  }

  @Test
  void impossibleShapes() {
    assertThatThrownBy(() -> new BertShape(1, 1, 1, 6, 4, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("6 features have 4 heads (expected heads that divide them)");
    assertThatThrownBy(() -> new BertShape(1, 1, 0, 6, 3, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tokenTypes is 0 (expected 1 to 16777216)");
    assertThatThrownBy(() -> new BertShape(1, 1, 1, 6, 3, 1, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("eps is 0.0 (expected a finite number above 0)");
    assertThatThrownBy(() -> new BertShape(1, 1, 1, 6, 3, 1, 1, Float.POSITIVE_INFINITY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("eps is Infinity (expected a finite number above 0)");
  }
}
