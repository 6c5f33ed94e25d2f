/**
 * Machine code that the library writes itself and calls through the foreign function interface,
 * because the Vector API does not reach the dot-product instructions: all of it that no processor
 * decides alone.
 *
 * <p>From the top: {@code EmittedBackend}; {@code EmittedMatmul} and {@code EmittedQuantize} have
 * the loops around the kernels, {@code LeftPacker} and {@code RightPacker} bring operands into the
 * order that tiles want, {@code Region} and {@code Workspace} say where they lie; {@code
 * EmittedCode} is the checked door to the kernels that an {@code Emitter} emits for a {@code
 * Target}; {@code SelfTest} runs each once; {@code ExecutableMemory} and {@code NativeCall} know
 * the operating system. Not exported.
 */
package dev.switchyard.kernels.backend.emitted;
