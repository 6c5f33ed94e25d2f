package dev.switchyard.bench.command;

import dev.switchyard.bench.data.Reason;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * The standard output, which says when it cannot be written to: {@link PrintStream} and {@link
 * java.io.PrintWriter} keep that to themselves, and a command whose output was lost would report
 * success.
 *
 * <p>The first failure is thrown through whatever prints, and ends the command. What is written
 * after it is lost as well.
 */
public final class StandardOutput extends OutputStream {
  /** Of whoever reads a pipe and has left; said so by Linux, macOS and Windows. */
  private static final String CLOSED = ".*(broken pipe|pipe is being closed|pipe has been ended).*";

  private final OutputStream target;
  private Failure failure;

  /** What could not be written; also a signal to end. */
  public static final class Failure extends UncheckedIOException {
    private static final long serialVersionUID = 1;

    Failure(IOException cause) {
      super("the standard output cannot be written to: " + Reason.of(cause), cause);
    }

    /** Whether nobody reads any more, as behind {@code head -1}: no reason to complain. */
    public boolean isClosedPipe() {
      return String.valueOf(getCause().getMessage()).toLowerCase(Locale.ROOT).matches(CLOSED);
    }
  }

  /** That of this process. */
  public StandardOutput() {
    this(new FileOutputStream(FileDescriptor.out));
  }

  /** Another, for tests. */
  public StandardOutput(OutputStream target) {
    this.target = target;
  }

  /** For {@link System#setOut}, in the encoding of what is there now. */
  public PrintStream print() {
    return new PrintStream(this, true, System.out.charset());
  }

  private interface Writing {
    void run() throws IOException;
  }

  private synchronized void attempt(Writing writing) {
    if (failure == null) {
      try {
        writing.run();
      } catch (IOException e) {
        failure = new Failure(e);
        throw failure;
      }
    }
  }

  /**
   * Says so if anything was lost, even if whoever printed it has passed over that.
   *
   * @throws Failure if so
   */
  public synchronized void check() {
    flush();
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void write(int b) {
    attempt(() -> target.write(b));
  }

  @Override
  public void write(byte[] bytes, int from, int count) {
    attempt(() -> target.write(bytes, from, count));
  }

  @Override
  public void flush() {
    attempt(target::flush);
  }
}
