package dev.switchyard.bench.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Lines as the JDK finds them, and sentences for those that cannot be. */
class Utf8LinesTest {
  private static List<String> read(InputStream in) throws IOException {
    Utf8Lines lines = new Utf8Lines("texts", in);
    List<String> all = new ArrayList<>();
    for (String line = lines.next(); line != null; line = lines.next()) {
      all.add(line);
      assertThat(lines.number()).isEqualTo(all.size());
    }
    return all;
  }

  /** In pieces as small as a pipe may give them. */
  private static InputStream pieces(byte[] bytes, int most) {
    return new ByteArrayInputStream(bytes) {
      @Override
      public synchronized int read(byte[] target, int from, int count) {
        return super.read(target, from, Math.min(count, most));
      }
    };
  }

  @Test
  void areThoseOfTheJdkHoweverTheyArrive() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    String[] letters = {"a", "\n", "\r", "\r\n", "\u00e9", "\u20ac", "\ud83d\ude00", "\t", " "};
    for (int trial = 0; trial < 400; trial++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(40); i > 0; i--) {
        text.append(letters[random.nextInt(letters.length)]);
      }
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      List<String> expected =
          new BufferedReader(new StringReader(text.toString())).lines().toList();
      assertThat(read(pieces(bytes, 1 + random.nextInt(5)))).isEqualTo(expected);
      assertThat(read(pieces(bytes, 1 << 20))).isEqualTo(expected);
    }
  }

  @Test
  void namesTheLineThatIsNotUtf8() {
    for (int bad = 1; bad <= 70; bad++) {
      StringBuilder text = new StringBuilder();
      for (int line = 1; line <= 70; line++) {
        text.append(line == bad ? "caf\u00e9" : "text ".repeat(line)).append('\n');
      }
      byte[] latin1 = text.toString().getBytes(StandardCharsets.ISO_8859_1);
      assertThatThrownBy(() -> read(new ByteArrayInputStream(latin1)))
          .isInstanceOf(DataException.class)
          .hasMessage("line " + bad + " of texts is not UTF-8");
    }
  }

  @Test
  void aLineWithoutEndIsRefused() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'a';
          }
        };
    assertThatThrownBy(() -> new Utf8Lines("texts", endless).next())
        .isInstanceOf(DataException.class)
        .hasMessage("line 1 of texts is longer than 1,048,576 bytes");
  }

  @Test
  void aLineOfTheMostBytesIsRead() throws IOException {
    byte[] bytes = "a".repeat(Utf8Lines.LIMIT).getBytes(StandardCharsets.UTF_8);
    assertThat(read(new ByteArrayInputStream(bytes))).singleElement().asString().hasSize(1 << 20);
  }

  @Test
  void isReadyWhileThereIsMoreToRead() throws IOException {
    Utf8Lines lines = new Utf8Lines("texts", new ByteArrayInputStream(new byte[] {'a', '\n', 'b'}));
    assertThat(lines.next()).isEqualTo("a");
    assertThat(lines.isReady()).isTrue();
    assertThat(lines.next()).isEqualTo("b");
    assertThat(lines.isReady()).isFalse();
  }
}
