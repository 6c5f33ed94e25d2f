package dev.switchyard.layers;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole steps of training: they learn, they repeat, and they leave no garbage. */
class TrainingTest {
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "SWITCHBACK", "FP8_TENSORWISE"})
  void lossFalls(Precision precision) {
    requireFallingLoss(precision);
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource
  void lossFallsInAnyPrecision(Precision precision) {
    requireFallingLoss(precision);
  }

  private static void requireFallingLoss(Precision precision) {
    TinyTransformer model = new TinyTransformer(Fixtures.kernels("vector", 1), precision, 16, 32);
    assertThat(model.step()).as("loss of guessing, ln 4 = 1.39").isBetween(1f, 2f);
    float loss = 0;
    for (int step = 0; step < 60; step++) {
      loss = model.step();
    }
    assertThat(loss).isLessThan(0.2f);
  }

  /** The sizes are such that products, rows and heads are divided among the threads. */
  @ParameterizedTest
  @EnumSource
  void twoThreadsComputeTheSameBits(Precision precision) {
    TinyTransformer one = new TinyTransformer(Fixtures.kernels("vector", 1), precision, 64, 16);
    TinyTransformer two = new TinyTransformer(Fixtures.kernels("vector", 2), precision, 64, 16);
    for (int step = 0; step < 4; step++) {
      assertThat(two.step()).isEqualTo(one.step());
    }
    for (int i = 0; i < one.parameters().size(); i++) {
      Parameter expected = one.parameters().get(i);
      assertThat(two.parameters().get(i).value().data())
          .as("%s", expected)
          .isEqualTo(expected.value().data());
    }
  }

  /**
   * Were a single activation allocated in a step, the larger model would allocate at least batch
   * times patches times the difference of widths in floats more than the smaller. The reference
   * backend, since vectors are objects until the compiler has seen to them; in turn, since the
   * compiler removes small objects bit by bit.
   */
  @Tag("full")
  @ParameterizedTest
  @EnumSource
  void aWarmStepAllocatesNothingThatGrowsWithTheModel(Precision precision) throws JMException {
    int batch = 4;
    var smaller = new TinyTransformer(Fixtures.reference(), precision, 8, batch);
    var larger = new TinyTransformer(Fixtures.reference(), precision, 64, batch);
    long leastOfSmaller = Long.MAX_VALUE;
    long leastOfLarger = Long.MAX_VALUE;
    for (int step = 0; step < 6; step++) {
      leastOfSmaller = Math.min(leastOfSmaller, bytesOfAStep(smaller));
      leastOfLarger = Math.min(leastOfLarger, bytesOfAStep(larger));
    }
    long activation = 4L * batch * TinyTransformer.PATCHES * (64 - 8);
    assertThat(leastOfLarger - leastOfSmaller).isLessThan(activation / 2);
  }

  private static long bytesOfAStep(TinyTransformer model) throws JMException {
    long before = allocatedBytes();
    model.step();
    return allocatedBytes() - before;
  }

  /** By name, since its type is not part of the Java platform. */
  private static long allocatedBytes() throws JMException {
    return (Long)
        ManagementFactory.getPlatformMBeanServer()
            .getAttribute(
                new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME),
                "CurrentThreadAllocatedBytes");
  }

  @Test
  void theSameSeedGivesTheSameModel() {
    TinyTransformer one = new TinyTransformer(Fixtures.reference(), Precision.FLOAT32, 8, 4);
    TinyTransformer other = new TinyTransformer(Fixtures.reference(), Precision.INT8_ALL, 8, 4);
    for (int i = 0; i < one.parameters().size(); i++) {
      Parameter expected = one.parameters().get(i);
      assertThat(other.parameters().get(i).value().data()).isEqualTo(expected.value().data());
    }
    assertThat(one.parameters()).extracting(Parameter::name).doesNotHaveDuplicates();
  }
}
