/**
 * Training on several machines. Read from the top down:
 *
 * <ul>
 *   <li>The processes: a {@link dev.switchyard.mpi.Collective}, of {@link dev.switchyard.mpi.Mpi}
 *       under {@code mpirun}, or a {@link dev.switchyard.mpi.SingleProcess}; {@link
 *       dev.switchyard.mpi.Agreement} finds the one that differs.
 *   <li>{@link dev.switchyard.mpi.DataParallel} takes the mean of gradients while they are
 *       computed, by a {@link dev.switchyard.mpi.Reduction}; {@link
 *       dev.switchyard.mpi.ShardedOptimizer} spreads the optimizer's state; {@link
 *       dev.switchyard.mpi.LocalSteps} takes the mean of parameters now and then instead.
 *   <li>{@link dev.switchyard.mpi.GatheredRows} is for losses over the whole batch.
 *   <li>Inside: an {@code Exchange} sums a {@code Bucket} of gradients, as {@code AllReduce} or as
 *       {@code SlicedSum} in a {@code WireFormat}. {@code Mpi} stands on {@code MpiCalls}, these on
 *       the {@code MpiLibrary} that the {@code Launcher} implies, with its {@code MpiAbi}.
 * </ul>
 *
 * <p>A program begins with {@link dev.switchyard.mpi.Mpi#run}, which ends all processes when one
 * throws; those that go on after an exception abandon the step together, by {@link
 * dev.switchyard.mpi.DataParallel#abandon} and an {@link
 * dev.switchyard.mpi.AbandonedStepException}.
 *
 * <p>The library is the one of the machine; nothing is built against it, and none is needed where
 * there is only one process.
 *
 * <p>All of it is for use by one thread, the one that joined; {@link dev.switchyard.mpi.Mpi#abort}
 * may come from any.
 */
package dev.switchyard.mpi;
