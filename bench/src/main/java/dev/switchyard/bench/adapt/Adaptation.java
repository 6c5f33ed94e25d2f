package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharedSteps;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.bench.train.TrainingRun;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.coda.RouterStatistics;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.loss.CrossEntropy;
import dev.switchyard.layers.loss.MeanSquaredError;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Adapts a pretrained encoder to the classes of some texts, in two phases (Lei et al. 2023, section
 * 3.3, made small): in the light one the sparse encoder learns to give the states that the dense
 * one gives, from texts without their classes; in the task phase it learns the classes. Only what
 * is new learns in either, so that what is saved needs no copy of the encoder.
 */
final class Adaptation {
  /** The part of all steps of a phase in which the learning rate rises. */
  private static final double WARMUP = 0.1;

  private final AdaptOptions options;
  private final BertEncoder base;
  private final LabelledTexts.Split texts;
  private final Processes processes;
  private final Tokens training;
  private final Tokens tests;
  private final Kernels kernels;
  private final DenseStates targets;

  Adaptation(
      AdaptOptions options,
      BertEncoder base,
      WordPieceTokenizer tokenizer,
      LabelledTexts.Split texts,
      Processes processes) {
    this.options = options;
    this.base = base;
    this.texts = texts;
    this.processes = processes;
    this.kernels = Kernels.create(Parallel.ofThreads(options.threads()));
    this.training = tokens(texts.training(), tokenizer);
    this.tests = tokens(texts.test(), tokenizer);
    this.targets = new DenseStates(base, training, kernels);
  }

  private Tokens tokens(LabelledTexts of, WordPieceTokenizer tokenizer) {
    return Tokens.of(of.texts(), tokenizer, options.maxTokens(), kernels.parallel());
  }

  /** Is told how far a variant is. */
  interface Listener {
    void onStep(int step, int steps, String phase, double loss);
  }

  AdaptOptions options() {
    return options;
  }

  LabelledTexts.Split texts() {
    return texts;
  }

  Kernels kernels() {
    return kernels;
  }

  /** What texts, tokenizer and options make of each other. */
  String tokens() {
    return training.fingerprint() + ", tests: " + tests.fingerprint();
  }

  Tokens tests() {
    return tests;
  }

  /**
   * Trains a variant through both phases, from where its run is.
   *
   * @param listener told of each step from there on
   * @param interrupted asked after each step whether to save and leave
   * @return the classifier; none if it was interrupted
   */
  Optional<Classifier> train(
      Variant variant, TrainingRun run, Listener listener, BooleanSupplier interrupted) {
    Classifier classifier =
        new Classifier(
            base,
            variant.options(options.coda()),
            options.pooling(),
            texts.training().classes().size(),
            options.seed());
    int light = variant.isDense() ? 0 : options.lightSteps(); // dense states need no learning
    int steps = light + options.epochs() * batches();
    Course course = new Course(run, classifier, steps, listener, interrupted);
    MeanSquaredError distance = new MeanSquaredError();
    Phase first = new Phase("light", 0, light, classifier.encoder().learned(), -3, true);
    Loss ofStates =
        (tape, batch, chosen) ->
            distance.forward(
                tape,
                classifier.encoder().forward(tape, batch.ids(), batch.sequences()),
                targets.of(chosen));
    CrossEntropy crossEntropy = new CrossEntropy();
    Phase second = new Phase("task", light, steps, classifier.learned(), -4, false);
    Loss ofScores =
        (tape, batch, chosen) ->
            crossEntropy.forward(tape, classifier.scores(tape, batch), labels(chosen));
    return course.follow(first, ofStates) && course.follow(second, ofScores)
        ? Optional.of(classifier)
        : Optional.empty();
  }

  private int[] labels(int[] chosen) {
    return Arrays.stream(chosen).map(i -> texts.training().labels().get(i)).toArray();
  }

  private int batches() {
    return Math.max(1, training.count() / options.batch());
  }

  /**
   * Steps {@code from} to {@code to} of a training.
   *
   * @param learned what they change
   * @param shuffle which order of the texts
   * @param ofTokens whether the loss is a mean over tokens, not over texts
   */
  private record Phase(
      String name, int from, int to, List<Parameter> learned, long shuffle, boolean ofTokens) {}

  private interface Loss {
    Tensor of(Tape tape, Tokens.Batch batch, int[] chosen);
  }

  /** The training of one classifier. */
  private final class Course {
    private final TrainingRun run;
    private final Classifier classifier;
    private final int steps;
    private final Listener listener;
    private final BooleanSupplier interrupted;
    private final List<Double> losses = new ArrayList<>();

    Course(
        TrainingRun run,
        Classifier classifier,
        int steps,
        Listener listener,
        BooleanSupplier interrupted) {
      this.run = run;
      this.classifier = classifier;
      this.steps = steps;
      this.listener = listener;
      this.interrupted = interrupted;
    }

    /** Whether a phase was followed to its end. */
    boolean follow(Phase phase, Loss loss) {
      if (run.steps() >= phase.to && phase.to < steps) {
        return true; // the run is in a later phase
      }
      Tape tape = Tape.recording(kernels);
      SharedSteps shared =
          new SharedSteps(
              processes,
              options.sharing(),
              kernels,
              tape,
              new Profile(),
              phase.learned,
              parameters -> new AdamW(kernels, parameters, AdamW.Settings.DEFAULT),
              options.seed());
      if (run.steps() > phase.from) {
        losses.addAll(run.restore(classifier.learned(), shared.optimizer(), shared::restoreExtra));
        startStep(losses.size() - 1);
      }
      processes.requireSame(Map.of("model", Fingerprint.of(phase.learned)));
      int done = losses.size() - phase.from;
      shared.resumeAfter(done);
      int length = phase.to - phase.from;
      Schedule schedule = Schedule.cosine(options.rate(), (int) (WARMUP * length), length);
      CounterRandom shuffle = new CounterRandom(options.seed()).split(phase.shuffle);
      int size = Math.min(options.batch(), training.count());
      int batches = batches();
      int[] order = {};
      boolean leave = false;
      for (int step = done; step < length; step++) {
        if (order.length == 0 || step % batches == 0) {
          order = shuffle.permutation(training.count(), step / batches);
        }
        int[] chosen =
            Arrays.copyOfRange(order, step % batches * size, (step % batches + 1) * size);
        startStep(phase.from + step);
        losses.add(
            shared.step(
                shard -> part(tape, loss, chosen, shard, phase.ofTokens), schedule.rate(step)));
        listener.onStep(losses.size(), steps, phase.name, losses.getLast());
        leave |= processes.any(interrupted.getAsBoolean());
        boolean ends = losses.size() == steps;
        // Between two phases there is no optimizer to save: the step behind them is soon done.
        boolean canSave = ends || (step + 1 < length && shared.isAgreed());
        if (canSave && (ends || leave || run.isDue(losses.size(), batches))) {
          run.save(classifier.learned(), shared.optimizer(), shared.extra(), losses, batches);
        }
        if (canSave && leave && !ends) {
          shared.close();
          return false;
        }
      }
      shared.close();
      return true;
    }

    private void startStep(long step) {
      classifier.encoder().adapters().forEach(adapter -> adapter.startStep(step));
    }
  }

  private SharedSteps.Part part(Tape tape, Loss loss, int[] chosen, int shard, boolean ofTokens) {
    Sharing sharing = options.sharing();
    int[] own =
        Arrays.copyOfRange(
            chosen, sharing.first(shard, chosen.length), sharing.first(shard + 1, chosen.length));
    Tokens.Batch batch = training.batch(own);
    double weight = sharing.weight(shard, chosen.length);
    if (ofTokens && sharing.localSteps() == 0) {
      weight = (double) batch.ids().length * sharing.shards() / training.batch(chosen).ids().length;
    }
    return new SharedSteps.Part(loss.of(tape, batch, own), weight);
  }

  /** How well a classifier does on the test texts, over which its routers begin to count anew. */
  Quality test(Classifier classifier) {
    classifier
        .encoder()
        .adapters()
        .forEach(adapter -> adapter.statistics().forEach(RouterStatistics::clear));
    return Quality.of(classifier.scores(Tape.inference(kernels), tests), texts.test().labels());
  }
}
