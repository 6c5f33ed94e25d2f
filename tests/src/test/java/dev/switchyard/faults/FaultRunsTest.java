package dev.switchyard.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.classfile.ClassFile;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left half done is found, at each call that can leave it so, and nothing else is. */
class FaultRunsTest {
  /** Two numbers that should be equal, one of which may change alone. */
  public static final class Halves implements WholeChange.Subject {
    private int first;
    private int second;

    @Override
    public void change() {
      first = next(first);
      second = next(second);
    }

    static int next(int number) {
      return number + 1;
    }

    @Override
    public Object state() {
      return new int[] {first, second};
    }
  }

  /** Two numbers that change together. */
  public static final class Both implements WholeChange.Subject {
    private int first;
    private int second;

    @Override
    public void change() {
      int next = Halves.next(first);
      int other = Halves.next(second);
      first = next;
      second = other;
    }

    @Override
    public Object state() {
      return new int[] {first, second};
    }
  }

  /** Loads some classes so that they tell of their calls. */
  private static final class Rewriting extends ClassLoader {
    private final FaultyClasses classes = new FaultyClasses(Set.of());

    Rewriting() {
      super(FaultRunsTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(FaultRunsTest.class.getName() + "$")) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = classes.rewrite(ClassFile.of().parse(in.readAllBytes()));
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static int wrong(Class<?> subject, int most) throws ReflectiveOperationException {
    Class<?> rewritten = new Rewriting().loadClass(subject.getName());
    FaultRuns runs =
        new FaultRuns(
            most, new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    runs.run(
        subject.getSimpleName(),
        new WholeChange(
            () -> (WholeChange.Subject) rewritten.getDeclaredConstructor().newInstance()));
    return runs.wrong();
  }

  @ParameterizedTest
  @ValueSource(ints = {100, FaultRuns.EVERY_PLACE})
  void findsWhatIsLeftHalfDone(int most) throws ReflectiveOperationException {
    assertThat(wrong(Halves.class, most)).as("at the second call, and in it").isEqualTo(2);
    assertThat(wrong(Both.class, most)).isZero();
  }

  @Test
  void aPlaceIsItsCallsAndHasAFirstAndALastTime() {
    Places places = new Places();
    for (int point = 1; point <= 5; point++) {
      places.pass(point);
    }
    places.pass(6);
    assertThat(places.points()).containsExactly(1, 5, 6);
  }

  @Test
  void triesEachPointOfFewAndTheEndsOfMany() {
    assertThat(FaultRuns.chosen(5, 5)).containsExactly(1, 2, 3, 4, 5);
    assertThat(FaultRuns.chosen(101, 1)).containsExactly(51);
    assertThat(FaultRuns.chosen(1000, 16)).startsWith(1, 2, 44, 127, 210).endsWith(957, 999, 1000);
    for (int points : new int[] {17, 100, 1_000_000_000}) {
      assertThat(FaultRuns.chosen(points, 16)).hasSize(16).doesNotHaveDuplicates();
    }
  }
}
