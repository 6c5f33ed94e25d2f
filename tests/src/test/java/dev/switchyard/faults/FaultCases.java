package dev.switchyard.faults;

import java.util.Map;

/** Cases of one part of the library, made in the JVM that runs them. */
public interface FaultCases {
  /** The cases by name. */
  Map<String, FaultCase> cases();
}
