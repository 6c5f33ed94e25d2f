package dev.switchyard.kernels;

import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Scaling;
import dev.switchyard.kernels.parallel.Parallel;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a container does: an application with this library in a class loader of its own, used by
 * threads that outlive it, then dropped; several times. Says what has not gone.
 */
public final class Redeployed {
  static final String NOTHING_LEFT = "nothing is left of ";
  private static final int TIMES = 3;

  private Redeployed() {}

  /** An application, which keeps its kernels for good. */
  public static final class Application implements Runnable {
    private static Kernels kernels;

    /** Everything that keeps buffers, code or threads. */
    @Override
    public void run() {
      kernels = Kernels.create(Parallel.ofThreads(2));
      FloatMatrix x = FloatMatrix.allocate(200, 200);
      FloatMatrix y = FloatMatrix.allocate(200, 200);
      for (Scaling scaling : Scaling.values()) {
        kernels.quantize(x, new QuantizedMatrix(scaling));
      }
      kernels.multiply(ElementType.FLOAT32, Form.NT, x, x, Epilogue.STORE, y);
      kernels.elementwise().gelu(x, y);
      kernels.elementwise().sumOfSquares(x.data(), x.data().length);
    }
  }

  /** Deploys an application and lets it go. */
  private static WeakReference<ClassLoader> deploy(URL[] locations) throws Exception {
    try (URLClassLoader loader =
        new URLClassLoader(locations, ClassLoader.getPlatformClassLoader())) {
      Class<?> application = loader.loadClass(Application.class.getName());
      if (application == Application.class) {
        throw new AssertionError("the application came from the wrong loader");
      }
      Runnable run = (Runnable) application.getConstructor().newInstance();
      Thread.currentThread().setContextClassLoader(loader);
      run.run();
      Thread.currentThread().setContextClassLoader(null);
      return new WeakReference<>(loader);
    }
  }

  private static URL location(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation();
  }

  /**
   * Pages that can be executed and are neither a file's nor the JVM's, whose can be written too.
   */
  private static long codePages() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    return !Files.exists(maps)
        ? 0
        : Files.readAllLines(maps).stream()
            .filter(line -> line.matches("\\S+ r-xp 00000000 00:00 0 *"))
            .count();
  }

  /** Prints {@link #NOTHING_LEFT} or fails. */
  public static void main(String[] arguments) throws Exception {
    URL[] locations = {location(Kernels.class), location(Application.class)};
    List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    for (int i = 0; i < TIMES; i++) {
      loaders.add(deploy(locations));
    }
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("switchyard")) {
        thread.join(TimeUnit.SECONDS.toMillis(30));
      }
    }
    long begun = System.nanoTime();
    long alive;
    long pages;
    do {
      System.gc();
      alive = loaders.stream().filter(loader -> loader.get() != null).count();
      pages = codePages();
    } while (alive + pages > 0 && System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(20));
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("switchyard"))
            .count();
    if (alive + pages + threads > 0) {
      throw new AssertionError(
          alive + " loaders, " + pages + " mappings of code, " + threads + " threads are left");
    }
    System.out.println(NOTHING_LEFT + TIMES);
  }
}
