package dev.switchyard.bench.train;

/**
 * A training with its times.
 *
 * @param result what came of it
 * @param times of its steps
 * @param batch images a step
 */
public record TimedTraining(TrainingResult result, StepTimes times, int batch) {
  /** The name of its precision. */
  public String precision() {
    return result.precision();
  }

  /** Training images a second. */
  public double imagesPerSecond() {
    return batch / times.stepMillis() * 1000;
  }
}
