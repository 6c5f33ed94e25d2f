package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.coda.CodaOptions;
import dev.switchyard.layers.coda.Gate;
import dev.switchyard.layers.coda.HeavyAttention;
import dev.switchyard.layers.coda.RouterKind;
import dev.switchyard.layers.coda.SoftTopK;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Records of options that are changed one after the other. */
class OptionsTest {
  /** A record of options and one call of each method that changes it. */
  record Options<T extends Record>(T first, Map<String, UnaryOperator<T>> changes) {
    @Override
    public String toString() {
      return first.getClass().getSimpleName();
    }
  }

  static Stream<Options<?>> all() {
    return Stream.of(
        new Options<>(
            PrecisionPolicy.to(Precision.SWITCHBACK),
            Map.of(
                "withWeightGradient", o -> o.withWeightGradient(ElementType.FLOAT32),
                "including", o -> o.including("blocks.*"),
                "excluding", o -> o.excluding("*.out"),
                "withSmallest", o -> o.withSmallest(3))),
        new Options<>(
            BlockOptions.of(8, 2, Precision.FLOAT32),
            Map.of(
                "withHidden", o -> o.withHidden(3),
                "withCausalAttention", o -> o.withCausalAttention(),
                "withLayerScale", o -> o.withLayerScale(0.5f),
                "withDropout", o -> o.withDropout(0.1f),
                "withStochasticDepth", o -> o.withStochasticDepth(0.2f),
                "withRecompute", o -> o.withRecompute())),
        new Options<>(
            CodaOptions.of(3, Precision.FLOAT32),
            Map.of(
                "withRouter", o -> o.withRouter(RouterKind.FIRST),
                "withAttention", o -> o.withAttention(HeavyAttention.CHOSEN_TO_CHOSEN),
                "withGate", o -> o.withGate(Gate.STRAIGHT_THROUGH, SoftTopK.exact(2)),
                "withAdapter", o -> o.withAdapter(5, 2, false, 0.1f),
                "withReduction", o -> o.withReduction(7))));
  }

  @ParameterizedTest
  @MethodSource("all")
  <T extends Record> void aChangeKeepsWhatOthersHaveSet(Options<T> options) {
    assertThat(options.changes.keySet())
        .as("each method that changes")
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(options.first.getClass().getDeclaredMethods())
                .filter(m -> m.getReturnType() == options.first.getClass())
                .filter(m -> Modifier.isPublic(m.getModifiers()))
                .filter(m -> !Modifier.isStatic(m.getModifiers()))
                .map(Method::getName)
                .toList());
    options.changes.forEach(
        (name, change) -> {
          Map<String, Object> changed = difference(options.first, change.apply(options.first));
          assertThat(changed).as(name).isNotEmpty();
          options.changes.forEach(
              (otherName, other) -> {
                if (!otherName.equals(name)) {
                  T both = other.apply(change.apply(options.first));
                  assertThat(difference(options.first, both))
                      .as("%s, then %s", name, otherName)
                      .containsAllEntriesOf(changed);
                }
              });
        });
  }

  /** The components in which two records differ, with their values in the second. */
  private static Map<String, Object> difference(Record a, Record b) {
    Map<String, Object> different = new TreeMap<>();
    for (RecordComponent component : a.getClass().getRecordComponents()) {
      try {
        Object value = component.getAccessor().invoke(b);
        if (!value.equals(component.getAccessor().invoke(a))) {
          different.put(component.getName(), value);
        }
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(e.getMessage(), e);
      }
    }
    return different;
  }

  /** What is called twice adds up where it takes several, and replaces where it takes one. */
  @ParameterizedTest
  @MethodSource("all")
  <T extends Record> void listsAddUp(Options<T> options) {
    options.changes.forEach(
        (name, change) -> {
          T once = change.apply(options.first);
          T twice = change.apply(once);
          difference(options.first, once)
              .forEach(
                  (component, value) -> {
                    Object expected =
                        value instanceof List<?> list
                            ? Stream.of(list, list).flatMap(List::stream).toList()
                            : value;
                    assertThat(difference(options.first, twice))
                        .as("%s twice", name)
                        .containsEntry(component, expected);
                  });
        });
  }
}
