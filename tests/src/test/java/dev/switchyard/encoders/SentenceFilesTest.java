package dev.switchyard.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.fuzz.FileFormat;
import dev.switchyard.fuzz.FileFuzz;
import dev.switchyard.layers.model.Pooling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What lies beside a model says how its embeddings are made, and is obeyed or refused. */
class SentenceFilesTest {
  private static final String CLS = "{'pooling_mode':'cls'}";

  @TempDir Path folder;

  private void write(String name, String json) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, json.replace('\'', '"'));
  }

  private Pooling pooling(String model) throws IOException {
    return SentenceEncoder.pooling(folder.resolve(model));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "FIRST | {'word_embedding_dimension':384,'pooling_mode_cls_token':true,"
            + "'pooling_mode_mean_tokens':false,'pooling_mode_max_tokens':false,"
            + "'pooling_mode_mean_sqrt_len_tokens':false}",
        "MEAN | {'pooling_mode_cls_token':false,'pooling_mode_mean_tokens':true}",
        "LAST | {'pooling_mode_lasttoken':true,'include_prompt':true}",
        "MEAN | {'pooling_mode_cls_token':false}",
        "MEAN | {'embedding_dimension':384}",
        "FIRST | {'embedding_dimension':384,'pooling_mode':'cls','include_prompt':true}",
        "MEAN | {'pooling_mode':'mean','pooling_mode_cls_token':true}",
        "LAST | {'pooling_mode':['lasttoken']}"
      })
  void isObeyed(Pooling expected, String config) throws IOException {
    write("1_Pooling/config.json", config);
    assertThat(pooling("model.safetensors")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "the pooling max | {'pooling_mode_max_tokens':true}",
        "the pooling mean_sqrt_len_tokens | {'pooling_mode_mean_sqrt_len_tokens':true}",
        "the pooling weightedmean | {'pooling_mode_weightedmean_tokens':true}",
        "the pooling cls and mean |"
            + " {'pooling_mode_mean_tokens':true,'pooling_mode_cls_token':true}",
        "the pooling cls and lasttoken | {'pooling_mode':['cls','lasttoken']}",
        "the pooling attention | {'pooling_mode':'attention'}",
        "the pooling none | {'pooling_mode_mean_tokens':false,'pooling_mode_cls_token':false}",
        "the pooling none | {'pooling_mode':[]}",
        "7 for pooling_mode | {'pooling_mode':7}",
        "1 for pooling_mode_cls_token | {'pooling_mode_cls_token':1}",
        "an array | []"
      })
  void isRefusedWhereItIsNotDone(String message, String config) throws IOException {
    write("1_Pooling/config.json", config);
    assertThatThrownBy(() -> pooling("model.safetensors"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("config.json has " + message);
  }

  @Test
  void isTheMeanWhereNothingIsSaid() throws IOException {
    assertThat(pooling("model.onnx")).isEqualTo(Pooling.MEAN);
    assertThat(pooling("onnx/model.onnx")).isEqualTo(Pooling.MEAN);
  }

  @Test
  void tokensAreAsManyAsTheFolderSays() throws IOException {
    assertThat(SentenceEncoder.maxTokens(folder.resolve("model.onnx"))).isEmpty();
    write("sentence_bert_config.json", "{'do_lower_case':false}");
    assertThat(SentenceEncoder.maxTokens(folder.resolve("model.onnx"))).isEmpty();
    write("sentence_bert_config.json", "{'max_seq_length':null}");
    assertThat(SentenceEncoder.maxTokens(folder.resolve("model.onnx"))).isEmpty();
    write("sentence_bert_config.json", "{'max_seq_length':256,'do_lower_case':false}");
    assertThat(SentenceEncoder.maxTokens(folder.resolve("model.onnx"))).hasValue(256);
    assertThat(SentenceEncoder.maxTokens(folder.resolve("onnx/model.onnx"))).hasValue(256);
    assertThat(SentenceEncoder.maxTokens(folder.resolve("other/model.onnx"))).isEmpty();
    for (String wrong : new String[] {"0", "-1", "1.5", "'long'", "[]"}) {
      write("sentence_bert_config.json", "{'max_seq_length':" + wrong + "}");
      assertThatThrownBy(() -> SentenceEncoder.maxTokens(folder.resolve("model.onnx")))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("for max_seq_length");
    }
  }

  /** Repositories keep the exported model in a folder of its own. */
  @Test
  void isFoundAboveTheExportedModel() throws IOException {
    write("1_Pooling/config.json", CLS);
    assertThat(pooling("onnx/model.onnx")).isEqualTo(Pooling.FIRST);
    assertThat(pooling("other/model.onnx")).isEqualTo(Pooling.MEAN);
    write("onnx/1_Pooling/config.json", "{'pooling_mode':'lasttoken'}");
    assertThat(pooling("onnx/model.onnx")).isEqualTo(Pooling.LAST);
  }

  @ParameterizedTest
  @CsvSource({"sentence_transformers.models.", "sentence_transformers.base.modules.pooling.", "''"})
  void isWhereTheModulesSay(String prefix) throws IOException {
    write("1_Pooling/config.json", "{'pooling_mode':'lasttoken'}");
    write("pool/config.json", CLS);
    write(
        "modules.json",
        "[{'idx':0,'path':'','type':'"
            + prefix
            + "Transformer'},{'path':'pool','type':'"
            + prefix
            + "Pooling'},"
            + "{'path':'2_Normalize','type':'"
            + prefix
            + "Normalize'}]");
    assertThat(pooling("model.safetensors")).isEqualTo(Pooling.FIRST);
    Files.delete(folder.resolve("pool/config.json"));
    assertThatThrownBy(() -> pooling("model.safetensors"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("pool");
  }

  @Test
  void furtherStepsAreRefused() throws IOException {
    write(
        "modules.json",
        "[{'type':'a.Transformer'},{'type':'a.Pooling','path':'1_Pooling'},{'type':'a.Dense'}]");
    assertThatThrownBy(() -> pooling("model.safetensors"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageEndingWith(
            "modules.json has a.Dense for [2].type (expected a Transformer, its Pooling and"
                + " Normalize: no other step is done)");
  }

  @Test
  void damagedFilesAreReadOrRefused() throws IOException {
    FileFuzz.check(
        FileFormat.of(
            "config.json",
            "{\"embedding_dimension\":8,\"pooling_mode_cls_token\":true,\"pooling_mode\":[\"cls\"]}"
                .getBytes(StandardCharsets.UTF_8),
            file -> assertThat(pooling("model.onnx")).isNotNull(),
            ModelFileException.class),
        Files.createDirectories(folder.resolve("1_Pooling")));
    FileFuzz.check(
        FileFormat.of(
            "sentence_bert_config.json",
            "{\"max_seq_length\":256,\"do_lower_case\":false}".getBytes(StandardCharsets.UTF_8),
            file -> assertThat(SentenceEncoder.maxTokens(folder.resolve("a.onnx"))).isNotNull(),
            ModelFileException.class),
        folder);
  }
}
