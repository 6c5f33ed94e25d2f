package dev.switchyard.kernels.data;

/**
 * A counter-based random generator: the n-th number of a stream is a function of seed, stream and
 * n, computed without any state. A computation that numbers its draws by what they are for (row and
 * column, step and sample) therefore repeats bit for bit, whatever the order or number of threads.
 *
 * <p><b>Whoever draws from it twice gets the same numbers twice.</b> It does not move on: one
 * generator given to two layers of equal shape gives them equal weights, and nothing reports it.
 * Give each layer a generator of its own: the next of a {@link RandomStream}, or a {@linkplain
 * #split(long) split}, {@code random.split(0)}, {@code random.split(1)}, and so on.
 *
 * <p>Streams are separated by the SplitMix64 finalizer (Steele, Lea and Flood 2014); the numbers of
 * a stream come from two rounds of a 32-bit multiply and xor-shift mixer keyed by it, which is
 * cheap in vector registers. Not for cryptography. Immutable and thread-safe.
 *
 * @param seed chooses the family of streams
 */
public record CounterRandom(long seed) {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  /**
   * The key of a stream.
   *
   * @param stream any number
   * @return the key to give to {@link #bits(long, int)} and {@link #uniform(long, int)}
   */
  public long key(long stream) {
    return mix(mix(seed) + GOLDEN * (stream + 1));
  }

  /**
   * A generator whose streams are independent of this one's.
   *
   * @param purpose any number
   * @return the generator
   */
  public CounterRandom split(long purpose) {
    return new CounterRandom(key(~purpose));
  }

  /**
   * One number of a stream.
   *
   * @param key of the stream
   * @param index of the number
   * @return 32 random bits
   */
  public static int bits(long key, int index) {
    int h = index * 0x9E3779B1 + (int) key;
    h = (h ^ h >>> 16) * 0x85EBCA6B;
    h = (h ^ h >>> 13) * 0xC2B2AE35;
    h ^= (h >>> 16) ^ (int) (key >>> 32);
    h = (h ^ h >>> 16) * 0x7FEB352D;
    h = (h ^ h >>> 15) * 0x846CA68B;
    return h ^ h >>> 16;
  }

  /**
   * A uniform number of a stream.
   *
   * @param key of the stream
   * @param index of the number
   * @return a multiple of 2^-24 in [0, 1)
   */
  public static float uniform(long key, int index) {
    return (bits(key, index) >>> 8) * 0x1p-24f;
  }

  /**
   * A standard normal number of a stream (Box and Muller 1958).
   *
   * @param key of the stream
   * @param index of the number
   * @return the number, exact to about 24 bits
   */
  public static float gaussian(long key, int index) {
    // 1 - u lies in (0, 1]: its logarithm is finite.
    double radius = Math.sqrt(-2 * Math.log(1 - (double) uniform(key, 2 * index)));
    return (float) (radius * Math.cos(2 * Math.PI * uniform(key, 2 * index + 1)));
  }

  /**
   * A random order (Fisher and Yates).
   *
   * @param n how many things to order
   * @param stream of the draws
   * @return a permutation of 0 to n - 1
   */
  public int[] permutation(int n, long stream) {
    long key = key(stream);
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      // The high half of bits * (i + 1): uniform over 0..i up to a bias below (i + 1) / 2^32.
      int j = (int) (((bits(key, i) & 0xffff_ffffL) * (i + 1)) >>> 32);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
