/**
 * The values that Switchyard's kernels take and return.
 *
 * <ul>
 *   <li>Matrices over plain Java arrays, row-major, rows are tokens and columns are features:
 *       {@link dev.switchyard.kernels.data.FloatMatrix}, {@link
 *       dev.switchyard.kernels.data.Bfloat16Matrix}, {@link dev.switchyard.kernels.data.IntMatrix},
 *       {@link dev.switchyard.kernels.data.QuantizedMatrix}; {@link
 *       dev.switchyard.kernels.data.Sequences} says which rows belong together.
 *   <li>The right-hand operand of a product in the layout of a backend: {@link
 *       dev.switchyard.kernels.data.PackedMatrix}, with the {@link
 *       dev.switchyard.kernels.data.Form} of the product.
 *   <li>What happens to a result on its way out: {@link dev.switchyard.kernels.data.Epilogue}.
 *   <li>How to quantize: {@link dev.switchyard.kernels.data.Scaling}, {@link
 *       dev.switchyard.kernels.data.Rounding}, {@link dev.switchyard.kernels.data.NonFinitePolicy}.
 *   <li>Simulated float8: {@link dev.switchyard.kernels.data.Float8Format} and {@link
 *       dev.switchyard.kernels.data.Float8Rounding}.
 *   <li>Repeatable randomness: {@link dev.switchyard.kernels.data.CounterRandom}, and a {@link
 *       dev.switchyard.kernels.data.RandomStream} of them.
 * </ul>
 *
 * This package depends on nothing else in Switchyard.
 */
package dev.switchyard.kernels.data;
