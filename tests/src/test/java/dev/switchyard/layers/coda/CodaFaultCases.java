package dev.switchyard.layers.coda;

import dev.switchyard.faults.FaultCase;
import dev.switchyard.faults.FaultCases;
import dev.switchyard.faults.Outcomes;
import dev.switchyard.faults.RepeatedCall;
import dev.switchyard.faults.WholeChange;
import dev.switchyard.faults.WrittenFile;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Sequences;
import dev.switchyard.layers.FailingStep;
import dev.switchyard.layers.Fixtures;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Precision;
import dev.switchyard.layers.SmallTraining;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.block.BlockOptions;
import dev.switchyard.layers.block.TransformerBlock;
import dev.switchyard.layers.loss.MeanSquaredError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** Conditional computation: every router and kind of attention, and what surrounds them. */
public final class CodaFaultCases implements FaultCases {
  private static final int WIDTH = 4;
  private static final Sequences SEQUENCES = Sequences.uniform(2, 2);
  private static final CodaOptions PLAIN =
      CodaOptions.of(2, Precision.FLOAT32).withAdapter(3, 0.5f, true, 0.1f);

  private final Kernels kernels;
  private final FloatMatrix x = Fixtures.gaussian(4, WIDTH, 2);
  private final Map<String, FaultCase> cases = new LinkedHashMap<>();

  public CodaFaultCases(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public Map<String, FaultCase> cases() {
    for (RouterKind kind : RouterKind.values()) {
      addStep("routed by " + kind, PLAIN.withRouter(kind));
    }
    for (HeavyAttention attention : HeavyAttention.values()) {
      addStep("attention of " + attention, PLAIN.withAttention(attention));
    }
    SoftTopK descending =
        new SoftTopK(new SoftTopK.CoordinateDescent(), EpsSchedule.constant(1), 9 / 8.0);
    addStep("weighed in turns", PLAIN.withGate(Gate.STRAIGHT_THROUGH, descending));
    cases.put("wrapping a block", new WholeChange(Wrapping::new));
    cases.put("freezing the base", new WholeChange(Freezing::new));
    cases.put("loading an adapter", new WholeChange(Loading::new));
    cases.put("writing an adapter", new WholeChange(this::written));
    cases.put("clearing statistics", new WholeChange(Clearing::new));
    addReading();
    return cases;
  }

  private static TransformerBlock block() {
    BlockOptions options = BlockOptions.of(WIDTH, 2, Precision.SWITCHBACK).withHidden(5);
    return new TransformerBlock("block", options, new CounterRandom(1));
  }

  private static ConditionalAdapter adapter(CodaOptions options) {
    ConditionalAdapter adapter =
        new ConditionalAdapter("coda", block(), options, new CounterRandom(2));
    Fixtures.disturb(adapter.learned(), 0.3f);
    return adapter;
  }

  private void addStep(String name, CodaOptions options) {
    cases.put(name, new FailingStep(() -> new Routed(adapter(options))));
  }

  /** Half of each sequence is chosen, or all or none, whatever has failed in between. */
  private final class Routed extends SmallTraining {
    private final ConditionalAdapter adapter;

    Routed(ConditionalAdapter adapter) {
      super(
          Tape.recording(kernels),
          adapter.parameters(),
          tape ->
              new MeanSquaredError()
                  .forward(
                      tape,
                      adapter.forward(tape, Tensor.of(x), SEQUENCES),
                      FloatMatrix.allocate(4, WIDTH)));
      this.adapter = adapter;
      adapter.observe(selection -> {});
    }

    @Override
    public String complaint() {
      RouterKind kind = adapter.options().router();
      double share = kind == RouterKind.ALL ? 1 : kind == RouterKind.NONE ? 0 : 0.5;
      for (RouterStatistics statistics : adapter.statistics()) {
        double first = statistics.selectedShare(0);
        double second = statistics.selectedShare(RouterStatistics.PLACES / 2);
        boolean chooses = share == 0.5;
        if (statistics.selectedShare() != share
            || first + second != 2 * share
            || (chooses && statistics.overlapWithFirst() != first)) {
          return "statistics of another choice: "
              + List.of(statistics.selectedShare(), first, second, statistics.overlapWithFirst());
        }
      }
      return null;
    }
  }

  /** A block whose parameters may not be frozen for an adapter that was never made. */
  private static final class Wrapping implements WholeChange.Subject {
    private final TransformerBlock block = block();

    @Override
    public void change() {
      new ConditionalAdapter("coda", block, PLAIN, new CounterRandom(2));
    }

    @Override
    public Object state() {
      return block.parameters().stream().map(Parameter::frozen).toArray();
    }
  }

  private static final class Freezing implements WholeChange.Subject {
    private final ConditionalAdapter adapter = adapter(PLAIN);

    @Override
    public void change() {
      adapter.setBaseFrozen(false);
    }

    @Override
    public Object state() {
      return adapter.parameters().stream().map(Parameter::frozen).toArray();
    }
  }

  private AdapterFile file() {
    return AdapterFile.of("base", List.of(adapter(PLAIN)), List.of(), 9, Map.of("a", "b"));
  }

  private final class Loading implements WholeChange.Subject {
    private final AdapterFile file = file();
    private final ConditionalAdapter adapter =
        new ConditionalAdapter("coda", block(), PLAIN, new CounterRandom(3));

    @Override
    public void change() {
      file.load("base", List.of(adapter), List.of());
    }

    @Override
    public Object state() {
      return adapter.learned().stream().map(p -> p.value().toArray()).toArray();
    }
  }

  private WrittenFile written() throws IOException {
    return new WrittenFile(Files.createTempDirectory("adapter").resolve("file"), file()::write);
  }

  private final class Clearing implements WholeChange.Subject {
    private final RouterStatistics statistics;

    Clearing() {
      ConditionalAdapter adapter = adapter(PLAIN);
      adapter.forward(Tape.none(kernels), Tensor.of(x), SEQUENCES);
      statistics = adapter.statistics().getFirst();
    }

    @Override
    public void change() {
      statistics.clear();
    }

    @Override
    public Object state() {
      return told(statistics);
    }
  }

  private static Object told(RouterStatistics statistics) {
    return new Object[] {
      statistics.selectedShare(),
      IntStream.range(0, RouterStatistics.PLACES).mapToDouble(statistics::selectedShare).toArray(),
      statistics.overlapWithFirst(),
      statistics.saturation(),
      statistics.entropy(),
      statistics.spreadOverEps(),
      statistics.worstResidual(),
      statistics.warning().isPresent()
    };
  }

  private void add(String name, Callable<?> call) {
    cases.put(name, new RepeatedCall(call));
  }

  private void addReading() {
    ConditionalAdapter adapter = adapter(PLAIN);
    add(
        "parts of an adapter",
        () ->
            new int[] {
              adapter.added().size(),
              adapter.base().size(),
              adapter.learned().size(),
              adapter.parameters().size(),
              adapter.linears().size(),
              adapter.options().bottleneck()
            });
    add(
        "an adapter with less work",
        () -> {
          ConditionalAdapter fewer = adapter.withReduction(1);
          fewer.startStep(3);
          fewer.observe(s -> {});
          return new Object[] {
            fewer.forward(Tape.none(kernels), Tensor.of(x), SEQUENCES).value().toArray(),
            told(fewer.statistics().getFirst())
          };
        });
    add(
        "merging",
        () -> {
          try {
            return adapter.merge();
          } catch (UnsupportedOperationException e) {
            return e.getMessage();
          }
        });
    add(
        "routers",
        () ->
            IntStream.range(0, 3)
                .mapToObj(
                    i -> {
                      CounterRandom random = new CounterRandom(5);
                      Router router =
                          switch (i) {
                            case 0 ->
                                new LearnedRouter(
                                    "r", WIDTH, 1, SoftTopK.exact(1), Gate.SCALE, random);
                            case 1 -> FixedRouter.random(1, random);
                            default -> FixedRouter.first(1);
                          };
                      Router other = router.withReduction(2);
                      other.startStep(2);
                      Selection selection =
                          other.route(Tape.none(kernels), Tensor.of(x), SEQUENCES).selection();
                      return new Object[] {
                        selection.row(1),
                        selection.isAll(),
                        selection.all().count() + selection.chosen().tokens(),
                        other.parameters().size() + other.linears().size(),
                        told(other.statistics())
                      };
                    })
                .toArray());
    add(
        "routers of all and none",
        () ->
            List.of(FixedRouter.all(), FixedRouter.none()).stream()
                .map(
                    router ->
                        router
                            .route(Tape.none(kernels), Tensor.of(x), SEQUENCES)
                            .selection()
                            .isAll())
                .toArray());
    ParallelAdapter parallel =
        new ParallelAdapter("p", WIDTH, 2, Precision.FLOAT32, 0, new CounterRandom(4));
    add(
        "a parallel adapter",
        () ->
            new Object[] {
              parallel.forward(Tape.none(kernels), Tensor.of(x)).value().toArray(),
              parallel.parameters().size() + parallel.linears().size()
            });
    Path written =
        Outcomes.of(
            () -> {
              Path file = Files.createTempDirectory("adapter").resolve("file");
              file().write(file);
              return file;
            });
    add(
        "reading an adapter",
        () -> {
          AdapterFile read = AdapterFile.read(written);
          return new Object[] {
            read.weights().values().stream().map(FloatMatrix::toArray).toArray(),
            read.options().toString(),
            file().step()
          };
        });
  }
}
