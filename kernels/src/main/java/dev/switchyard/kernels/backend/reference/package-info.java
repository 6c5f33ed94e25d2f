/**
 * The kernels in plain Java, slow and obviously right: the oracle of the tests, and the fallback of
 * a JVM without the Vector API.
 */
package dev.switchyard.kernels.backend.reference;
