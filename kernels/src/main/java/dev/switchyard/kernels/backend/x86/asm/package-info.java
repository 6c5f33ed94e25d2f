/**
 * An assembler for the few x86-64 instructions that the generators need: {@code Assembler} holds
 * the code and its labels, {@code VectorOp} the table of vector instructions, {@code Gp}, {@code
 * Vec}, {@code Mask} and {@code Mem} are their operands. Depends on the JDK alone. Not exported.
 */
package dev.switchyard.kernels.backend.x86.asm;
