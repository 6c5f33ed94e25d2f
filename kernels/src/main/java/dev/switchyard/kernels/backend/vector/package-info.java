/**
 * The kernels in the JDK Vector API, for any vector width.
 *
 * <p>C2 cannot emit the integer dot-product instructions, so every product runs on the float
 * multiply-add: int8 and bfloat16 operands are widened to float while they are packed, and int8
 * sums stay exact because they are flushed to int32 before they can reach 2^24. Read {@link
 * dev.switchyard.kernels.backend.vector.VectorMatmul} first.
 *
 * <p>Rules that keep C2 from boxing vectors: species are static final constants, accumulators are
 * named locals, a method that takes a vector is small enough to be inlined and a tile loop calls
 * none, nor a lambda. {@code reduceLanes} with UMIN or UMAX is wrong on JDK 25.0.3: reduce integers
 * with ADD and MAX only; floats with MAX only, as the order in which it adds them changes once it
 * is compiled.
 */
package dev.switchyard.kernels.backend.vector;
