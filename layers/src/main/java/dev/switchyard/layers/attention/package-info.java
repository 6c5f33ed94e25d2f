/**
 * Where tokens of a sequence see one another: {@link
 * dev.switchyard.layers.attention.SelfAttention}, of many heads.
 */
package dev.switchyard.layers.attention;
