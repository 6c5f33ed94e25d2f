/**
 * x86-64 machine code that the library writes itself and calls through the foreign function
 * interface, because the Vector API does not reach the dot-product instructions.
 *
 * <p>From the top: {@code X86Backend} finds out what can run here; {@code X86Matmul} has the loops
 * around the kernels, {@code Region} and {@code Workspace} their operands; {@code EmittedCode} is
 * the checked door to the kernels that {@code TileGenerator} and {@code PackGenerator} emit for an
 * {@code InstructionSet}; {@code ExecutableMemory}, {@code CallingConvention} and {@code Cpu} know
 * the operating system and the processor. Not exported.
 */
package dev.switchyard.kernels.backend.x86;
