package dev.switchyard.layers;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.layers.activation.Gelu;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.Transformer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a model says that it consists of. */
class SummaryTest {
  @Test
  void aTransformerPartByPart() {
    Transformer model =
        new Transformer(
            "blocks", 1, BlockOptions.of(8, 2, Precision.SWITCHBACK).withLayerScale(0), RANDOM);
    model.linears().getFirst().parameters().forEach(parameter -> parameter.setFrozen(true));
    assertThat(model.summary())
        .isEqualTo(
            """
            part             kind              shape     precision   parameters
            blocks.block0    Transformer                                    888
              block0         TransformerBlock                               888
                norm1        LayerNorm         8, 8                          16
                attention    SelfAttention                                  288
                  qkv        Linear            24x8, 24  SWITCHBACK         216
                  out        Linear            8x8, 8    SWITCHBACK          72
                norm2        LayerNorm         8, 8                          16
                feedForward  FeedForward                                    552
                  up         Linear            32x8, 32  SWITCHBACK         288
                  down       Linear            8x32, 8   SWITCHBACK         264
                scale1       LayerScale        8                              8
                scale2       LayerScale        8                              8
            888 parameters, of which 672 learn and 216 are frozen; 0.0 MB in float32
            """);
  }

  @Test
  void tiedWeightsCountOnce() {
    Linear layer = new Linear("layer", 3, 2, Precision.FLOAT32, RANDOM);
    Model twice =
        new Model() {
          @Override
          public List<? extends Model> parts() {
            return List.of(layer, layer, new Gelu());
          }
        };
    assertThat(twice.parameters()).hasSize(2);
    assertThat(twice.linears()).containsExactly(layer);
    assertThat(twice.summary())
        .endsWith("8 parameters, of which 8 learn and 0 are frozen; 0.0 MB in float32\n");
  }
}
