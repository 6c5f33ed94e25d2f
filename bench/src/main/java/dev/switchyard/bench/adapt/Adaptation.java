package dev.switchyard.bench.adapt;

import dev.switchyard.bench.data.LabelledTexts;
import dev.switchyard.bench.processes.Processes;
import dev.switchyard.bench.processes.SharedSteps;
import dev.switchyard.bench.processes.Sharing;
import dev.switchyard.encoders.BertEncoder;
import dev.switchyard.encoders.WordPieceTokenizer;
import dev.switchyard.kernels.Kernels;
import dev.switchyard.kernels.data.CounterRandom;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.parallel.Parallel;
import dev.switchyard.layers.CrossEntropy;
import dev.switchyard.layers.MeanSquaredError;
import dev.switchyard.layers.Parameter;
import dev.switchyard.layers.Profile;
import dev.switchyard.layers.Tape;
import dev.switchyard.layers.Tensor;
import dev.switchyard.layers.coda.ConditionalAdapter;
import dev.switchyard.layers.io.Fingerprint;
import dev.switchyard.layers.optim.AdamW;
import dev.switchyard.layers.optim.WarmupCosine;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

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
    this.training = Tokens.of(texts.training().texts(), tokenizer, options.maxTokens());
    this.tests = Tokens.of(texts.test().texts(), tokenizer, options.maxTokens());
    this.kernels = Kernels.create(Parallel.ofThreads(options.threads()));
  }

  /** Is told how far a variant is. */
  interface Listener {
    void onStep(int step, int steps, String phase, double loss);
  }

  Kernels kernels() {
    return kernels;
  }

  Tokens tests() {
    return tests;
  }

  /** Trains a variant through both phases. */
  Classifier train(Variant variant, Listener listener) {
    Classifier classifier =
        new Classifier(
            base,
            variant.options(options.coda()),
            texts.training().classes().size(),
            options.seed());
    int batches = Math.max(1, training.count() / options.batch());
    int light = variant.isDense() ? 0 : options.lightSteps(); // dense states need no learning
    int steps = light + options.epochs() * batches;
    MeanSquaredError distance = new MeanSquaredError();
    Tape teacher = Tape.inference(kernels);
    phase(
        classifier,
        classifier.encoder().learned(),
        new Phase("light", light, 0, steps, -3, true),
        (tape, batch, labels) -> {
          FloatMatrix target = base.forward(teacher, batch.ids(), batch.sequences()).value();
          Tensor states = classifier.encoder().forward(tape, batch.ids(), batch.sequences());
          return distance.forward(tape, states, target);
        },
        teacher,
        listener);
    CrossEntropy loss = new CrossEntropy();
    phase(
        classifier,
        classifier.learned(),
        new Phase("task", steps - light, light, steps, -4, false),
        (tape, batch, labels) -> loss.forward(tape, classifier.scores(tape, batch), labels),
        teacher,
        listener);
    return classifier;
  }

  /**
   * @param steps of this phase
   * @param before steps of those before
   * @param all steps of all
   * @param shuffle which order of the texts
   * @param ofTokens whether the loss is a mean over tokens, not over texts
   */
  private record Phase(
      String name, int steps, int before, int all, long shuffle, boolean ofTokens) {}

  private interface Loss {
    Tensor of(Tape tape, Tokens.Batch batch, int[] labels);
  }

  private void phase(
      Classifier classifier,
      List<Parameter> learned,
      Phase phase,
      Loss loss,
      Tape teacher,
      Listener listener) {
    if (phase.steps == 0) {
      return;
    }
    WarmupCosine schedule =
        new WarmupCosine(options.rate(), 0, (int) (WARMUP * phase.steps), phase.steps);
    CounterRandom shuffle = new CounterRandom(options.seed()).split(phase.shuffle);
    int size = Math.min(options.batch(), training.count());
    int batches = training.count() / size;
    int[] order = {};
    Tape tape = Tape.recording(kernels);
    SharedSteps shared =
        new SharedSteps(
            processes,
            options.sharing(),
            kernels,
            tape,
            new Profile(),
            learned,
            parameters -> new AdamW(kernels, parameters, AdamW.Settings.DEFAULT),
            options.seed());
    processes.requireSame(Map.of("model", Fingerprint.of(learned)));
    for (int step = 0; step < phase.steps; step++) {
      if (step % batches == 0) {
        order = shuffle.permutation(training.count(), step / batches);
      }
      int[] chosen = Arrays.copyOfRange(order, step % batches * size, (step % batches + 1) * size);
      for (ConditionalAdapter adapter : classifier.encoder().adapters()) {
        adapter.startStep(phase.before + step);
      }
      double shown =
          shared.step(
              shard -> part(tape, loss, chosen, shard, phase.ofTokens), schedule.rate(step));
      teacher.reset();
      listener.onStep(phase.before + step + 1, phase.all, phase.name, shown);
    }
  }

  private SharedSteps.Part part(Tape tape, Loss loss, int[] chosen, int shard, boolean ofTokens) {
    Sharing sharing = options.sharing();
    int[] own =
        Arrays.copyOfRange(
            chosen, sharing.first(shard, chosen.length), sharing.first(shard + 1, chosen.length));
    int[] labels = Arrays.stream(own).map(i -> texts.training().labels().get(i)).toArray();
    Tokens.Batch batch = training.batch(own);
    double weight = sharing.weight(shard, chosen.length);
    if (ofTokens && sharing.localSteps() == 0) {
      weight = (double) batch.ids().length * sharing.shards() / training.batch(chosen).ids().length;
    }
    return new SharedSteps.Part(loss.of(tape, batch, labels), weight);
  }

  /** How well a classifier does on the test texts. */
  Quality test(Classifier classifier) {
    return Quality.of(classifier.scores(Tape.inference(kernels), tests), texts.test().labels());
  }
}
