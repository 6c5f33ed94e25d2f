package dev.switchyard.bench.kernels;

import dev.switchyard.bench.statistics.Interval;
import dev.switchyard.layers.Profile;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Times several ways to compute the same in interleaved rounds (A, B, C, A, B, C, ...), so that
 * what else happens on the machine meets all alike.
 */
final class Contest {
  /** A turn calls its contestant as often as fits in here, once at least. */
  private static final long TURN_NANOS = 50_000_000;

  /** Of warm-up for each round to come: C2 needs about a second for the default of 11 rounds. */
  private static final long WARM_UP_NANOS_PER_ROUND = 100_000_000;

  /** Long products get fewer rounds, but not fewer than three. */
  private static final long LIMIT_NANOS = 60_000_000_000L;

  private static final int FEWEST_ROUNDS = 3;

  /**
   * The pools of OpenMP and others keep spinning for some milliseconds after their work, and would
   * take the processor from whoever comes next.
   */
  private static final long PAUSE_MILLIS = 20;

  private final int rounds;
  private final int threads;
  private final PrintWriter progress;
  private final LongSupplier nanoTime;

  /**
   * @param progress is told how far the contest is
   */
  Contest(int rounds, int threads, PrintWriter progress) {
    this(rounds, threads, progress, System::nanoTime);
  }

  Contest(int rounds, int threads, PrintWriter progress, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.rounds = rounds;
    this.threads = threads;
    this.progress = progress;
  }

  /**
   * Who takes part.
   *
   * @param profile what the work adds its time to, part by part; null if it does not
   */
  record Contestant(String name, Profile profile, Runnable work) {
    Contestant(String name, Runnable work) {
      this(name, null, work);
    }
  }

  /**
   * The mean of the calls of a turn.
   *
   * @param nanos the time of a call
   * @param partNanos its parts, empty without a profile
   * @param restNanos what is left of it
   */
  record Turn(double nanos, Map<Profile.Part, Double> partNanos, double restNanos) {}

  /** The turns of a contestant, one a round. */
  record Turns(List<Turn> all) {
    Turns {
      all = List.copyOf(all);
    }

    Turn median() {
      List<Turn> sorted = all.stream().sorted(Comparator.comparingDouble(Turn::nanos)).toList();
      return sorted.get(sorted.size() / 2);
    }

    /** How many times as fast as the first in the same rounds each is. */
    static List<Interval> overFirst(List<Turns> turns) {
      double[] first = turns.getFirst().nanos();
      return turns.stream().map(own -> Interval.ofRatio(first, own.nanos())).toList();
    }

    private double[] nanos() {
      return all.stream().mapToDouble(Turn::nanos).toArray();
    }
  }

  /** The turns of each contestant, in their order. */
  List<Turns> run(List<Contestant> contestants) {
    List<Integer> calls = new ArrayList<>();
    for (Contestant contestant : contestants) {
      progress.println("Warming up " + contestant.name());
      progress.flush();
      calls.add(warmUp(contestant.work()));
    }
    List<List<Turn>> turns = contestants.stream().<List<Turn>>map(c -> new ArrayList<>()).toList();
    long start = nanoTime.getAsLong();
    for (int round = 1; round <= rounds; round++) {
      if (round > FEWEST_ROUNDS && nanoTime.getAsLong() - start > LIMIT_NANOS) {
        break;
      }
      progress.println("Round " + round + " of " + rounds);
      progress.flush();
      for (int i = 0; i < contestants.size(); i++) {
        pause();
        turns.get(i).add(turn(contestants.get(i), calls.get(i)));
      }
    }
    return turns.stream().map(Turns::new).toList();
  }

  /** Returns how many calls make a turn. */
  private int warmUp(Runnable work) {
    long end = nanoTime.getAsLong() + rounds * WARM_UP_NANOS_PER_ROUND;
    long last;
    do {
      long start = nanoTime.getAsLong();
      work.run();
      last = nanoTime.getAsLong() - start;
    } while (nanoTime.getAsLong() < end);
    return (int) Math.max(1, TURN_NANOS / Math.max(last, 1));
  }

  private void pause() {
    if (threads > 1) {
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while measuring", e);
      }
    }
  }

  private Turn turn(Contestant contestant, int calls) {
    Profile profile = contestant.profile();
    if (profile != null) {
      profile.clear();
    }
    long start = nanoTime.getAsLong();
    for (int i = 0; i < calls; i++) {
      contestant.work().run();
    }
    long nanos = nanoTime.getAsLong() - start;
    Map<Profile.Part, Double> parts = new EnumMap<>(Profile.Part.class);
    if (profile == null) {
      return new Turn((double) nanos / calls, parts, 0);
    }
    for (Profile.Part part : Profile.Part.values()) {
      parts.put(part, (double) profile.nanos(part) / calls);
    }
    return new Turn((double) nanos / calls, parts, (double) profile.restNanos(nanos) / calls);
  }
}
