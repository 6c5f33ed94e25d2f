package dev.switchyard.mpi;

import dev.switchyard.kernels.EndlessExecutor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;

/** Calls that can fail: the n-th of a kind does. */
final class Faults {
  /** What is called. */
  enum Kind {
    WATCHER,
    LISTENER,
    EXECUTOR,
    COMMUNICATION
  }

  /** What a call throws that fails. */
  static final class Injected extends RuntimeException {
    private static final long serialVersionUID = 1;

    Injected(Kind kind, int call) {
      super(kind + " fails at call " + call);
    }
  }

  private final Map<Kind, Integer> calls = new EnumMap<>(Kind.class);
  private Kind failing;
  private int failsAt;

  /** From now on counts calls anew, of which one fails; none if the kind is null. */
  void arm(Kind kind, int call) {
    calls.clear();
    failing = kind;
    failsAt = call;
  }

  int calls(Kind kind) {
    return calls.getOrDefault(kind, 0);
  }

  void call(Kind kind) {
    int call = calls.merge(kind, 1, Integer::sum) - 1;
    if (kind == failing && call == failsAt) {
      throw new Injected(kind, call);
    }
  }

  /** The same processes, each exchange of which is a call, on whatever line. */
  Collective over(Collective collective) {
    return proxy(Collective.class, collective);
  }

  private <T> T proxy(Class<T> type, T target) {
    InvocationHandler handler =
        (_, method, arguments) -> {
          String name = method.getName();
          if (!List.of("rank", "size", "duplicate", "close").contains(name)) {
            call(Kind.COMMUNICATION);
          }
          try {
            Object result = method.invoke(target, arguments);
            return switch (result) {
              case Collective line -> over(line);
              case Collective.Pending pending -> proxy(Collective.Pending.class, pending);
              case null, default -> result;
            };
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /**
   * An executor each task of which is a call. It runs them at once: were helpers left waiting for
   * the next, it would be asked now more often, now less.
   */
  ExecutorService executor() {
    return new EndlessExecutor() {
      @Override
      public void execute(Runnable task) {
        call(Kind.EXECUTOR);
        task.run();
      }
    };
  }
}
