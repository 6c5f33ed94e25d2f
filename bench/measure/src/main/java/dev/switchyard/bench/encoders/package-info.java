/**
 * Pretrained encoders against ONNX Runtime on the same file: {@code bench/switchyard jmh Encoder}.
 */
package dev.switchyard.bench.encoders;
