/** Training on many machines: processes under mpirun that share a model's gradients. */
module dev.switchyard.mpi {
  requires transitive dev.switchyard.layers;

  exports dev.switchyard.mpi;
}
