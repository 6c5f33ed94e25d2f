package dev.switchyard.kernels.backend.emitted;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.switchyard.kernels.backend.Backend;
import dev.switchyard.kernels.backend.MatmulKernel;
import dev.switchyard.kernels.backend.Product;
import dev.switchyard.kernels.backend.QuantizeKernel;
import dev.switchyard.kernels.backend.reference.ReferenceBackend;
import dev.switchyard.kernels.backend.x86.Cpu;
import dev.switchyard.kernels.backend.x86.InstructionSet;
import dev.switchyard.kernels.backend.x86.X86Backend;
import dev.switchyard.kernels.backend.x86.X86Target;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machine code that cannot be had, or computes wrongly, is not used, and says why. */
class SelfTestTest {
  private final InstructionSet set;
  private final Target target;
  private final MatmulKernel matmul;
  private final QuantizeKernel quantize;

  SelfTestTest() throws Unavailable {
    Cpu cpu = Cpu.detect();
    set = cpu.sets().iterator().next();
    target = new X86Target(set, false, cpu.l2Bytes());
    EmittedCode code = new EmittedCode(target);
    matmul = new EmittedMatmul(code);
    quantize = new EmittedQuantize(code, new ReferenceBackend().quantize());
  }

  /** The kernel, with something done to the arguments of a method after each call. */
  private static <K> K spoiled(
      Class<K> type, K kernel, String method, Consumer<Object[]> spoiling) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, called, arguments) -> {
              Object result = called.invoke(kernel, arguments);
              if (called.getName().equals(method)) {
                spoiling.accept(arguments);
              }
              return result;
            }));
  }

  private void assertUnavailable(MatmulKernel products, QuantizeKernel quantizers, String message) {
    assertThatThrownBy(() -> SelfTest.run(products, quantizers, target))
        .isInstanceOf(Unavailable.class)
        .hasMessageMatching("the self-test of " + message);
  }

  @Test
  void rightKernelsPass() {
    assertThatCode(() -> SelfTest.run(matmul, quantize, target)).doesNotThrowAnyException();
  }

  @Test
  void aProductThatIsWrongInOneElement() {
    MatmulKernel wrong =
        spoiled(
            MatmulKernel.class,
            matmul,
            "multiply",
            arguments -> {
              FloatMatrix c = ((Product) arguments[0]).floats();
              c.set(c.rows() - 1, 5, c.get(c.rows() - 1, 5) + 1);
            });
    assertUnavailable(
        wrong, quantize, "FLOAT32 NT with 1 rows gave -?\\d+\\.0 \\(expected -?\\d+\\.0\\)");
  }

  @Test
  void aQuantizerThatIsWrongInOneNumber() {
    assertUnavailable(q -> q.scales()[2] = 7, "7.0 for the scale of row 2 \\(expected 3.0\\)");
    assertUnavailable(q -> q.data()[0] = 1, "1.0 for q\\(0, 0\\) \\(expected -127.0\\)");
    assertUnavailable(q -> q.rowSums()[1]++, "(-?\\d+)\\.0 for the sum of row 1 \\(expected .*\\)");
  }

  private void assertUnavailable(Consumer<QuantizedMatrix> spoiling, String message) {
    QuantizeKernel wrong =
        spoiled(
            QuantizeKernel.class,
            quantize,
            "quantizeRows",
            arguments -> spoiling.accept((QuantizedMatrix) arguments[3]));
    assertUnavailable(matmul, wrong, "quantization gave " + message);
  }

  /** As a hypervisor may report it: no division by zero, and every kernel passes. */
  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 1, 100, 1023, 1 << 17, 1L << 40, Long.MAX_VALUE / 3})
  void anyLevel2Cache(long bytes) throws Unavailable {
    SelfTest.run(
        new EmittedMatmul(new EmittedCode(new X86Target(set, false, bytes))), quantize, target);
  }

  /** An error of any kind in the start is a reason, and no end. */
  @Test
  void aStartThatFails() {
    Backend failing =
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (_, _, _) -> {
                  throw new ExceptionInInitializerError("no such luck");
                });
    assertThatThrownBy(() -> X86Backend.tryToMake("x86-avx2", failing))
        .isInstanceOf(Unavailable.class)
        .hasMessage("its start failed (java.lang.ExceptionInInitializerError: no such luck)");
  }

  /** No system maps nothing. */
  @Test
  void memoryThatIsRefused() {
    assertThatThrownBy(() -> ExecutableMemory.load(new byte[0]))
        .isInstanceOf(Unavailable.class)
        .hasMessage("the operating system refused a mapping of 0 bytes (errno 22)");
  }
}
