/**
 * Switchyard's kernels: int8, bfloat16 and float32 products with their quantizers, and the
 * element-wise work of a transformer.
 *
 * <p>Read top-down: {@link dev.switchyard.kernels.Kernels} has the operations, {@link
 * dev.switchyard.kernels.Elementwise} those on single elements, {@link
 * dev.switchyard.kernels.IndexedRows} those on chosen rows, {@link dev.switchyard.kernels.Outliers}
 * those on elements too large for int8; they check their arguments and call the driver (package
 * {@code driver}: blocking, packing, threads), which calls a backend (package {@code backend}: the
 * inner loops), chosen by {@link dev.switchyard.kernels.BackendChoice}. What they take is in {@link
 * dev.switchyard.kernels.data}.
 */
package dev.switchyard.kernels;
