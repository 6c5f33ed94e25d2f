/** Room on the stack, which everything asks for before it begins. Not exported. */
package dev.switchyard.kernels.stack;
