package dev.switchyard.faults;

/** An operation that can fail half-way, and what has to hold then. */
public interface FaultCase {
  /** New objects for one run of it. */
  Run begin();

  /** One run. */
  interface Run {
    /** The operation, which an injected error may end anywhere. */
    void operate();

    /**
     * Looks at what the operation has left, and does what a caller would do next.
     *
     * @param failed whether it was ended by an error
     * @return what is wrong, or null
     */
    String check(boolean failed);
  }
}
