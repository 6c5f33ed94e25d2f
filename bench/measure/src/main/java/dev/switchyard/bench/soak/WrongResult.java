package dev.switchyard.bench.soak;

/** What a case found to be wrong, in a sentence. */
final class WrongResult extends Exception {
  private static final long serialVersionUID = 1;

  WrongResult(String sentence) {
    super(sentence);
  }
}
