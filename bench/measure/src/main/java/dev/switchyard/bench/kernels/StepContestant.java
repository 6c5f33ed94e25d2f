package dev.switchyard.bench.kernels;

import dev.switchyard.bench.kernels.Contest.Contestant;
import dev.switchyard.bench.peers.LinearOperands;
import dev.switchyard.bench.peers.LinearStep;
import dev.switchyard.bench.peers.Peer;
import dev.switchyard.bench.peers.Peers;
import dev.switchyard.bench.report.ContestantName;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.Profile;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * One way to compute the training step of a linear layer.
 *
 * @param name of the backend or the peer
 * @param precision what it computes in
 * @param step the step
 * @param profile receives the time by part
 */
record StepContestant(String name, Precision precision, LinearStep step, Profile profile) {
  private static final List<Precision> OURS =
      List.of(Precision.SWITCHBACK, Precision.BFLOAT16, Precision.FLOAT32);
  private static final Map<Precision, ElementType> OF_PEERS =
      new EnumMap<>(
          Map.of(Precision.BFLOAT16, ElementType.BFLOAT16, Precision.FLOAT32, ElementType.FLOAT32));

  /** Operands of a layer, made up. */
  static LinearOperands operands(int rows, int in, int out) {
    return new LinearOperands(
        Operands.uniform(rows, in, 1),
        Operands.uniform(out, in, 2),
        Operands.uniform(1, out, 3).data(),
        Operands.uniform(rows, out, 4));
  }

  static StepContestant ours(Kernels kernels, Precision precision, LinearOperands operands) {
    Profile profile = new Profile();
    return new StepContestant(
        kernels.backend().name(),
        precision,
        new SwitchyardStep(kernels, precision, operands, profile),
        profile);
  }

  /** The step of a peer, BFLOAT16 or FLOAT32. */
  static StepContestant peer(Peer peer, Precision precision, LinearOperands operands) {
    Profile profile = new Profile();
    LinearStep step = peer.step(OF_PEERS.get(precision), operands, profile);
    return new StepContestant(peer.name(), precision, step, profile);
  }

  /** By the name that benchmarks have for it, see {@link ContestantName}; peers load as needed. */
  static StepContestant named(String contestant, Kernels kernels, LinearOperands operands) {
    ContestantName name = ContestantName.of(contestant);
    return name.isOurs()
        ? ours(kernels, name.precision(), operands)
        : peer(
            Peers.load(name.library(), kernels.parallel().threads()), name.precision(), operands);
  }

  /** All there are, each checked against our step in float32. */
  static List<StepContestant> all(Kernels kernels, List<Peer> peers, LinearOperands operands) {
    List<StepContestant> all = new ArrayList<>();
    for (Precision precision : OURS) {
      all.add(ours(kernels, precision, operands));
    }
    for (Peer peer : peers) {
      OF_PEERS.forEach(
          (precision, type) -> {
            if (peer.types().contains(type)) {
              all.add(peer(peer, precision, operands));
            }
          });
    }
    LinearStep.Result expected = expected(kernels, operands);
    all.forEach(contestant -> contestant.check(expected, operands));
    return all;
  }

  /** What {@link #check} expects. */
  static LinearStep.Result expected(Kernels kernels, LinearOperands operands) {
    LinearStep step = ours(kernels, Precision.FLOAT32, operands).step();
    step.run();
    return step.result();
  }

  /** Refuses a step whose results are further off than its precision explains. */
  void check(LinearStep.Result expected, LinearOperands operands) {
    ElementType type = OF_PEERS.getOrDefault(precision, ElementType.INT8);
    // A weight gradient is never int8 here.
    ElementType ofWeightGradient = type == ElementType.INT8 ? ElementType.BFLOAT16 : type;
    step.run();
    LinearStep.Result actual = step.result();
    check("output", actual.output(), expected.output(), type, operands.in());
    check("input gradient", actual.inputGradient(), expected.inputGradient(), type, operands.out());
    check(
        "weight gradient",
        actual.weightGradient(),
        expected.weightGradient(),
        ofWeightGradient,
        operands.rows());
    check(
        "bias gradient",
        actual.biasGradient(),
        expected.biasGradient(),
        ElementType.FLOAT32,
        operands.rows());
  }

  private void check(String what, float[] actual, float[] expected, ElementType type, int length) {
    double tolerance = Operands.tolerance(type, length);
    Operands.checkEqual(title() + ": " + what, actual, expected, tolerance);
  }

  /** Name and precision. */
  String title() {
    return name + " " + precision;
  }

  /** For a contest. */
  Contestant contestant() {
    return new Contestant(title(), profile, step::run);
  }
}
