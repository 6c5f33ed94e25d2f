package dev.switchyard.layers.coda;

import static dev.switchyard.layers.Fixtures.RANDOM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.NonFiniteException;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which tokens are chosen, and what is said of it. */
class RouterTest {
  private final Tape none = Tape.none(Fixtures.kernels("vector", 2));

  /** A router whose score is the first feature. */
  private static LearnedRouter byFirstFeature(double reduction, TopKWeights weights, Gate gate) {
    LearnedRouter router = new LearnedRouter("r", 2, reduction, weights, gate, RANDOM);
    float[] u = router.parameters().getFirst().value().data();
    u[0] = 1;
    u[1] = 0;
    router.parameters().getFirst().markChanged();
    return router;
  }

  private static Tensor tokens(float... scores) {
    FloatMatrix x = FloatMatrix.allocate(scores.length, 2);
    for (int i = 0; i < scores.length; i++) {
      x.set(i, 0, scores[i]);
      x.set(i, 1, 99);
    }
    return Tensor.of(x);
  }

  private static List<Integer> chosen(Selection selection) {
    return IntStream.range(0, selection.chosen().tokens()).map(selection::row).boxed().toList();
  }

  @Test
  void theBestOfEachSequenceAreChosenInOrder() {
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(1), Gate.SCALE);
    Sequences sequences = Sequences.ofLengths(3, 0, 1, 4);
    Routing routing = router.route(none, tokens(1, 3, 2, -7, 0, 5, 4, 6), sequences);
    assertThat(chosen(routing.selection())).containsExactly(1, 2, 3, 5, 7);
    assertThat(routing.selection().chosen()).isEqualTo(Sequences.ofLengths(2, 0, 1, 2));
    assertThat(routing.selection().all()).isEqualTo(sequences);
    assertThat(routing.selection().isAll()).isFalse();
    assertThat(routing.gates().orElseThrow().value().get(2, 0)).isEqualTo(1); // one of one
    assertThatThrownBy(() -> routing.selection().row(5))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** Lower places first, and of zeros both kinds are equal. */
  @Test
  void tiesGoToTheFirst() {
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(1), Gate.SCALE);
    Sequences six = Sequences.ofLengths(6);
    assertThat(chosen(router.route(none, tokens(1, 1, 1, 1, 1, 1), six).selection()))
        .containsExactly(0, 1, 2);
    assertThat(chosen(router.route(none, tokens(1, 2, 1, 2, 1, 1), six).selection()))
        .containsExactly(0, 1, 3);
    assertThat(chosen(router.route(none, tokens(-1, 0, -0f, 0, -0f, -1), six).selection()))
        .containsExactly(1, 2, 3);
  }

  /** Far more than k weights are 1 in floating point; the choice is by score all the same. */
  @Test
  void saturatedWeightsDoNotMatter() {
    float[] scores = new float[300];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = 1000 + (i * 7 % 300) * 1e-3f;
    }
    SoftTopK unconverged =
        new SoftTopK(new SoftTopK.CoordinateDescent(1, 4, 1), EpsSchedule.constant(1e-4), 9 / 8.0);
    LearnedRouter router = byFirstFeature(3, unconverged, Gate.SCALE);
    Selection selection = router.route(none, tokens(scores), Sequences.ofLengths(300)).selection();
    assertThat(chosen(selection))
        .containsExactlyElementsOf(
            IntStream.range(0, 300).filter(i -> i * 7 % 300 >= 200).boxed().toList());
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 1.5, 2, 3, 5, 1000})
  void kIsTheCeilingOfItsOwnLength(double reduction) {
    LearnedRouter router = byFirstFeature(reduction, SoftTopK.exact(1), Gate.SCALE);
    for (int n = 0; n < 40; n++) {
      Tensor x = Tensor.of(Fixtures.gaussian(n, 2, 1));
      int k = router.route(none, x, Sequences.ofLengths(n)).selection().chosen().tokens();
      assertThat(k - n / reduction).isBetween(-1e-9, 1 - 1e-9);
    }
  }

  @Test
  void scoresHaveToBeNumbers() {
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(1), Gate.SCALE);
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(
              () -> router.route(none, tokens(1, 2, wrong, 3), Sequences.ofLengths(2, 2)))
          .isInstanceOf(NonFiniteException.class)
          .hasMessage(
              "the score of token 2 is " + wrong + " in the router r (expected finite numbers)");
    }
  }

  @ParameterizedTest
  @EnumSource
  void gatesAreWeightsOrOnes(Gate gate) {
    LearnedRouter router = byFirstFeature(2, new SigmoidWeights(), gate);
    Routing routing = router.route(none, tokens(0, 1, -3, -4), Sequences.ofLengths(4));
    FloatMatrix gates = routing.gates().orElseThrow().value();
    assertThat(gates.get(0, 0)).isEqualTo(gate == Gate.SCALE ? 0.5f : 1);
    assertThat(gates.rows()).isEqualTo(2);
  }

  /** Near misses are heard while training: the weights then sum to 9/8 of k. */
  @Test
  void trainingRelaxesTheSum() {
    Tape training = Tape.recording(Fixtures.kernels("vector", 1));
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(1), Gate.SCALE);
    float[] equal = new float[16];
    Sequences sequences = Sequences.ofLengths(16);
    assertThat(gate(router, training, equal, sequences)).isEqualTo(9 / 16f);
    assertThat(gate(router, none, equal, sequences)).isEqualTo(0.5f);
    assertThat(gate(router, Tape.inference(none.kernels()), equal, sequences)).isEqualTo(0.5f);
  }

  private static float gate(LearnedRouter router, Tape tape, float[] scores, Sequences s) {
    return router.route(tape, tokens(scores), s).gates().orElseThrow().value().get(0, 0);
  }

  @Test
  void theScheduleIsFollowed() {
    SoftTopK falling = new SoftTopK(new SoftTopK.Exact(), new EpsSchedule(1, 0.5, 1e-3), 9 / 8.0);
    LearnedRouter router = byFirstFeature(4, falling, Gate.SCALE);
    float[] scores = {0, 1, 2, 3};
    Sequences four = Sequences.ofLengths(4);
    assertThat(router.route(none, tokens(scores), four).gates().orElseThrow().value().get(0, 0))
        .isBetween(0.6f, 0.7f);
    router.startStep(8);
    assertThat(router.route(none, tokens(scores), four).gates().orElseThrow().value().get(0, 0))
        .isEqualTo(1);
    Router other = router.withReduction(2);
    Routing two = other.route(none, tokens(scores), four);
    assertThat(chosen(two.selection())).containsExactly(2, 3);
    assertThat(two.gates().orElseThrow().value().get(0, 0)).isEqualTo(1);
    assertThat(other.parameters()).isEqualTo(router.parameters());
  }

  // Routers that do not look

  @Test
  void fixedRouters() {
    Sequences sequences = Sequences.ofLengths(5, 0, 1);
    Tensor x = tokens(0, 0, 0, 0, 0, 0);
    assertThat(chosen(FixedRouter.first(2).route(none, x, sequences).selection()))
        .containsExactly(0, 1, 2, 5);
    Selection all = FixedRouter.all().route(none, x, sequences).selection();
    assertThat(all.isAll()).isTrue();
    assertThat(chosen(all)).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(chosen(FixedRouter.none().route(none, x, sequences).selection())).isEmpty();
    assertThat(FixedRouter.first(2).route(none, x, sequences).gates()).isEmpty();
    assertThatThrownBy(() -> FixedRouter.all().withReduction(3))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessage("a router of all tokens has no reduction to change");
    assertThat(chosen(FixedRouter.first(2).withReduction(5).route(none, x, sequences).selection()))
        .containsExactly(0, 5);
    assertThatThrownBy(() -> FixedRouter.first(0.5))
        .hasMessage("reduction is 0.5 (expected a number from 1 on)");
    assertThatThrownBy(() -> FixedRouter.all().route(none, x, Sequences.ofLengths(5)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /**
   * 4000 draws of 3 of 9: each token a third of them. The standard deviation of a share is sqrt(2/9
   * / 4000) = 0.0075; six of them.
   */
  @Test
  void randomTokensAreRandom() {
    Tape training = Tape.recording(Fixtures.kernels("vector", 1));
    FixedRouter router = FixedRouter.random(3, RANDOM);
    int[] counts = new int[9];
    Set<List<Integer>> different = new HashSet<>();
    for (int step = 0; step < 4000; step++) {
      Selection selection =
          router.route(training, tokens(new float[9]), Sequences.ofLengths(9)).selection();
      List<Integer> tokens = chosen(selection);
      assertThat(tokens).hasSize(3).isSorted().doesNotHaveDuplicates();
      tokens.forEach(t -> counts[t]++);
      different.add(tokens);
      training.reset();
    }
    assertThat(different).hasSize(84); // 9 over 3
    for (int count : counts) {
      assertThat(count / 4000.0).isCloseTo(1 / 3.0, within(0.045));
    }
  }

  /** In inference by the length alone, so that a sequence is treated the same in any batch. */
  @Test
  void randomTokensStayInInference() {
    FixedRouter router = FixedRouter.random(3, RANDOM);
    List<Integer> alone =
        chosen(router.route(none, tokens(new float[30]), Sequences.ofLengths(30)).selection());
    List<Integer> second = new ArrayList<>();
    Selection both =
        router.route(none, tokens(new float[40]), Sequences.ofLengths(10, 30)).selection();
    for (int j = 4; j < both.chosen().tokens(); j++) {
      second.add(both.row(j) - 10);
    }
    assertThat(second).isEqualTo(alone);
  }

  // Statistics

  @Test
  void statisticsCountPlaces() {
    FixedRouter router = FixedRouter.first(4);
    router.route(none, tokens(new float[40]), Sequences.ofLengths(32, 0, 8));
    RouterStatistics statistics = router.statistics();
    assertThat(statistics.selectedShare()).isEqualTo(0.25);
    assertThat(statistics.selectedShare(0)).isEqualTo(1); // tokens 0 and 1 of 32, 0 of 8
    assertThat(statistics.selectedShare(3)).isEqualTo(1);
    assertThat(statistics.selectedShare(4)).isZero();
    assertThat(statistics.overlapWithFirst()).isEqualTo(1);
    assertThat(statistics.warning()).isEmpty();
    statistics.clear();
    assertThat(statistics.selectedShare()).isZero();
    assertThat(statistics.selectedShare(0)).isZero();
  }

  /** Short and long sequences: every token has a place, and shares are of the tokens there. */
  @Test
  void allTokensHaveAPlace() {
    FixedRouter router = FixedRouter.all();
    router.route(none, tokens(new float[60]), Sequences.ofLengths(1, 2, 3, 5, 7, 11, 13, 18));
    for (int place = 0; place < RouterStatistics.PLACES; place++) {
      assertThat(router.statistics().selectedShare(place)).isEqualTo(1);
    }
  }

  @Test
  void statisticsTellTheSpread() {
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(0.5), Gate.SCALE);
    router.route(none, tokens(-1, 1, -1, 1), Sequences.ofLengths(2, 2));
    assertThat(router.statistics().spreadOverEps()).isEqualTo(2);
    assertThat(router.statistics().overlapWithFirst()).isZero();
    assertThat(router.statistics().selectedShare()).isEqualTo(0.5);
    assertThat(router.statistics().worstResidual()).isCloseTo(0, within(1e-6));
    assertThat(router.statistics().saturation()).isZero();
    assertThat(router.statistics().entropy()).isBetween(0.1, 0.9);
    assertThat(router.statistics().warning()).isEmpty();
  }

  @Test
  void aDeadRouterIsCalledSo() {
    LearnedRouter router = byFirstFeature(2, SoftTopK.exact(0.01), Gate.SCALE);
    router.route(none, tokens(0, 1, 2, 3), Sequences.ofLengths(4));
    assertThat(router.statistics().saturation()).isEqualTo(0.5);
    assertThat(router.statistics().warning())
        .hasValueSatisfying(w -> assertThat(w).startsWith("the router is dead: the entropy"));
  }

  @Test
  void unfinishedDescentShows() {
    SoftTopK descent =
        new SoftTopK(new SoftTopK.CoordinateDescent(), EpsSchedule.constant(0.03), 9 / 8.0);
    LearnedRouter router = new LearnedRouter("r", 512, 4, descent, Gate.SCALE, RANDOM);
    router.route(none, Tensor.of(Fixtures.gaussian(512, 512, 3)), Sequences.ofLengths(512));
    assertThat(router.statistics().worstResidual()).isLessThan(-0.1);
  }
}
