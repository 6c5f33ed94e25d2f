package dev.switchyard.bench.experiment;

import dev.switchyard.bench.page.Findings;

/** A question about training, and how to answer it on this machine. */
interface Experiment {
  /** What it is called on the command line. */
  String name();

  /** What it looks for, in a line. */
  String summary();

  /** Runs it. */
  Findings run(Setting setting);
}
