/**
 * Between the operations and the kernels: splits work into blocks and tasks, keeps reusable
 * buffers, and decides on scales. Arguments arrive checked. Not exported.
 *
 * <ul>
 *   <li>{@link dev.switchyard.kernels.driver.MatmulDriver}: packing and products.
 *   <li>{@link dev.switchyard.kernels.driver.QuantizeDriver}: scales, non-finite values, rounding.
 *   <li>{@link dev.switchyard.kernels.driver.RowTasks}: rows into tasks.
 * </ul>
 */
package dev.switchyard.kernels.driver;
