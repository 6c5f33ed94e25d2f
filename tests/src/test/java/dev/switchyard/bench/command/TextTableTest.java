package dev.switchyard.bench.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void alignsColumns() {
    TextTable table = new TextTable("", "Gop/s", "x");
    table.row("vector", "7.5", "1.00 x");
    table.row("a", "1234.5", "2");

    assertThat(table)
        .hasToString(
            """
                     Gop/s       x
            vector     7.5  1.00 x
            a       1234.5       2
            """);
  }
}
