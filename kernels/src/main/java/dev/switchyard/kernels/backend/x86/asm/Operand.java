package dev.switchyard.kernels.backend.x86.asm;

/** What the last operand of a vector instruction may be. */
public sealed interface Operand permits Vec, Mem {}
