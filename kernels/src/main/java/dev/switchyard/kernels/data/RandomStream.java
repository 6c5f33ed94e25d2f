package dev.switchyard.kernels.data;

/**
 * Hands out generators that are all different: one stream for a model, so that no two layers share
 * their weights by accident.
 *
 * <pre>{@code
 * RandomStream random = new RandomStream(1);
 * Linear first = new Linear("first", 64, 64, precision, random.next());
 * Linear second = new Linear("second", 64, 64, precision, random.next());
 * }</pre>
 *
 * <p>The n-th is the {@linkplain CounterRandom#split split} n of the seed's generator, counted from
 * 0: the same model made in the same order repeats bit for bit. For use by one thread.
 */
public final class RandomStream {
  private final CounterRandom random;
  private long next;

  /**
   * A stream that begins anew.
   *
   * @param seed chooses the generators
   */
  public RandomStream(long seed) {
    random = new CounterRandom(seed);
  }

  /**
   * A generator that was not handed out before.
   *
   * @return the generator
   */
  public CounterRandom next() {
    CounterRandom generator = random.split(next);
    next++; // after what can fail
    return generator;
  }
}
