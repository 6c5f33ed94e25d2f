package dev.switchyard.kernels.stack;

/**
 * Looks whether the stack has room before anything is begun that an overflow would leave half done:
 * an overflow then ends the probe, and nothing has changed.
 */
public final class StackProbe {
  /** 32 KB, at 26 bytes each in code of C2: executors and the start of a thread load classes. */
  private static final int OTHERS_LEVELS = 1_250;

  private StackProbe() {}

  /**
   * For an operation of ours, 8 KB: once warm, one takes 3.4 KB, and 6.2 KB where it is
   * interpreted.
   *
   * @throws StackOverflowError if there is not enough
   */
  public static void require() {
    enter(2);
  }

  /**
   * For a part of an operation that can do without: 4 KB. Compiled code into which this is inlined
   * asks for as much on entry and throws, so it must be less than what the operation asked for.
   */
  public static boolean hasRoom() {
    try {
      enter(0);
      return true;
    } catch (StackOverflowError e) {
      return false;
    }
  }

  /**
   * For code of others, and for classes that are initialized: 32 KB. An initializer that overflows
   * is never run again, so that its class is lost.
   *
   * @throws StackOverflowError if there is not enough
   */
  public static void requireForOthers() {
    descend(OTHERS_LEVELS);
  }

  /** As {@link #requireForOthers}, for who can do without. */
  public static boolean hasRoomForOthers() {
    try {
      requireForOthers();
      return true;
    } catch (StackOverflowError e) {
      return false;
    }
  }

  /**
   * Has variables for the size of its frame in the interpreter, 4 KB. HotSpot makes sure when it
   * enters compiled code that there is room for going on in the interpreter, in all methods that
   * were inlined: by C2 a recursion once, hence two levels. That is an instruction a page: 2 ns,
   * where frames of so many bytes would take 200.
   */
  @SuppressWarnings("UnusedVariable")
  private static int enter(int levels) {
    long a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, aa, ab, ac, ad, ae, af;
    long b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, ba, bb, bc, bd, be, bf;
    long c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb, cc, cd, ce, cf;
    long d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, da, db, dc, dd, de, df;
    long e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, ea, eb, ec, ed, ee, ef;
    long f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, fa, fb, fc, fd, fe, ff;
    long g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, ga, gb, gc, gd, ge, gf;
    long h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, ha, hb, hc, hd, he, hf;
    long q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, qa, qb, qc, qd, qe, qf;
    long j0, j1, j2, j3, j4, j5, j6, j7, j8, j9, ja, jb, jc, jd, je, jf;
    long k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, ka, kb, kc, kd, ke, kf;
    long l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, la, lb, lc, ld, le, lf;
    long m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, ma, mb, mc, md, me, mf;
    long n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, na, nb, nc, nd, ne, nf;
    long o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, oa, ob, oc, od, oe, of;
    long p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, pa, pb, pc, pd, pe, pf;
    return levels == 0 ? 0 : enter(levels - 1) + 1; // no tail call, no loop
  }

  private static long descend(int levels) {
    return levels == 0 ? 0 : descend(levels - 1) + levels;
  }
}
