package dev.switchyard.layers.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.switchyard.layers.optim.Schedule.Decay;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private final Schedule schedule = new Schedule(1, 0.2f, 4, 12, Decay.COSINE);

  @Test
  void risesThenFallsToTheFloor() {
    assertThat(schedule.rate(0)).isEqualTo(0.25f);
    assertThat(schedule.rate(3)).isEqualTo(1);
    assertThat(schedule.rate(4)).isEqualTo(1);
    assertThat(schedule.rate(6))
        .isCloseTo(0.2f + 0.4f * (1 + (float) Math.sqrt(0.5)), within(1e-6f));
    assertThat(schedule.rate(8)).isCloseTo(0.6f, within(1e-6f));
    assertThat(schedule.rate(12)).isEqualTo(0.2f);
    assertThat(schedule.rate(1000)).isEqualTo(0.2f);
  }

  @Test
  void mayDoWithoutEitherPart() {
    assertThat(Schedule.cosine(1, 0, 2).rate(0)).isEqualTo(1);
    assertThat(new Schedule(1, 0.5f, 0, 0, Decay.COSINE).rate(0)).isEqualTo(0.5f);
  }

  @Test
  void aFloorAsHighAsThePeakIsAConstant() {
    assertThat(new Schedule(1, 1, 0, 10, Decay.COSINE).rate(7)).isEqualTo(1);
    assertThat(Schedule.constant(0.3f).rate(0)).isEqualTo(0.3f);
    assertThat(Schedule.constant(0.3f).rate(Integer.MAX_VALUE)).isEqualTo(0.3f);
  }

  @Test
  void aLinearOneFallsByTheSameInEachStep() {
    Schedule linear = Schedule.linear(1, 2, 10);
    assertThat(linear.rate(1)).isEqualTo(1);
    for (int step = 2; step <= 10; step++) {
      assertThat(linear.rate(step)).isCloseTo((10 - step) / 8f, within(1e-6f));
    }
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Schedule(1, Math.nextUp(1f), 0, 10, Decay.LINEAR))
        .withMessage("peak is 1.0 and floor is 1.0000001 (expected 0 <= floor <= peak)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.linear(1, 5, 4))
        .withMessage("warmup is 5 and steps is 4 (expected 0 <= warmup <= steps)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schedule.rate(-1))
        .withMessage("step is -1 (expected 0 or more)");
  }
}
