/**
 * For tests of your own, with JUnit 5 or later or any other framework: {@link
 * dev.switchyard.testkit.MatrixAssertions} compare matrices, {@link
 * dev.switchyard.testkit.GradientCheck} compares the gradients of a layer with finite differences,
 * and {@link dev.switchyard.testkit.QuantizationReport} compares the quantized layers of a model
 * with float32 on your data. What fails is an {@link org.opentest4j.AssertionFailedError} whose
 * message says where and by how much. Nothing is kept between calls, so that tests may run in
 * parallel, each with layers and kernels of its own.
 */
package dev.switchyard.testkit;
