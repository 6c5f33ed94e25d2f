package dev.switchyard.bench.statistics;

/** What measurements say about a claim. */
public enum Answer {
  /** All of the interval is where the claim puts it. */
  SHOWS("Shows here:"),

  /** None of it is. */
  DOES_NOT_SHOW("Does not show here:"),

  /** Some of it is. */
  CANNOT_TELL("Cannot be told from so little:");

  private final String heading;

  Answer(String heading) {
    this.heading = heading;
  }

  /** What stands before the claim. */
  public String heading() {
    return heading;
  }

  /** The answer to a claim of which this and another are parts: both have to show. */
  public Answer and(Answer other) {
    if (this == DOES_NOT_SHOW || other == DOES_NOT_SHOW) {
      return DOES_NOT_SHOW;
    }
    return this == SHOWS ? other : this;
  }

  /** The answer to a claim that holds if this or another does. */
  public Answer or(Answer other) {
    if (this == SHOWS || other == SHOWS) {
      return SHOWS;
    }
    return this == DOES_NOT_SHOW ? other : this;
  }
}
