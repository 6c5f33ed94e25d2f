/**
 * The x86-64 target of emitted code.
 *
 * <p>{@code X86Backend} finds out with {@code Cpu} what can run here; {@code X86Target} describes
 * that; {@code TileGenerator}, {@code AmxGenerator}, {@code PackGenerator}, {@code
 * QuantizeGenerator} and {@code PeakGenerator} emit for an {@code InstructionSet}, by the {@code
 * CallingConvention}, what package {@code emitted} calls. Not exported.
 */
package dev.switchyard.kernels.backend.x86;
