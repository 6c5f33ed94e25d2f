package dev.switchyard.layers.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.BertShape;
import dev.switchyard.encoders.ModelFileException;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.layers.Precision;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What lies in place of a model is named as what it is, whatever it should have been. */
class ForeignFileTest {
  @TempDir Path folder;

  private static byte[] sample(ForeignFile kind) throws IOException {
    return switch (kind) {
      case LFS_POINTER ->
          text(
              """
              version https://git-lfs.github.com/spec/v1
              oid sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
              size 90868376
              """);
      case WEB_PAGE -> text("\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>");
      case ZIP -> {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
          zip.putNextEntry(new ZipEntry("archive/data.pkl"));
          zip.write(new byte[100]);
        }
        yield bytes.toByteArray();
      }
      case PICKLE -> new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 'l', (byte) 0xfc, (byte) 0x9c};
      case GZIP -> {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(bytes)) {
          gzip.write(new byte[100]);
        }
        yield bytes.toByteArray();
      }
      case HDF5 -> new byte[] {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 0, 0};
      case GGUF -> text("GGUF\3\0\0\0\0\0\0\0\0");
    };
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @EnumSource(ForeignFile.class)
  void isNamedAsWhatItIs(ForeignFile kind) throws IOException {
    Path file = folder.resolve("file");
    Files.write(file, sample(kind));
    String sentence = file + " " + kind;
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(MalformedFileException.class)
        .hasMessage(sentence);
    assertThatThrownBy(() -> BertEncoder.readOnnx(file, Precision.FLOAT32))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(sentence);
    assertThatThrownBy(() -> BertShape.read(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(sentence);
    assertThatThrownBy(() -> WordPieceTokenizer.read(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(sentence);
    Path vocabulary = Files.copy(file, folder.resolve("vocab.txt"));
    assertThatThrownBy(() -> WordPieceTokenizer.read(vocabulary))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(vocabulary + " " + kind);
  }

  @ParameterizedTest
  @EnumSource(ForeignFile.class)
  void isToldByItsHead(ForeignFile kind) throws IOException {
    byte[] whole = sample(kind);
    byte[] head = Arrays.copyOf(whole, Math.min(ForeignFile.HEAD, whole.length));
    assertThat(ForeignFile.of(head)).contains(kind);
    assertThat(ForeignFile.of(Arrays.copyOf(head, 1))).isEmpty();
  }
}
