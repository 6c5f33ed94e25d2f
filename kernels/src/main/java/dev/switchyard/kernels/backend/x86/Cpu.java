package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.emitted.ExecutableMemory;
import dev.switchyard.kernels.backend.emitted.NativeCall;
import dev.switchyard.kernels.backend.emitted.Unavailable;
import dev.switchyard.kernels.backend.x86.asm.Assembler;
import dev.switchyard.kernels.backend.x86.asm.Gp;
import dev.switchyard.kernels.backend.x86.asm.Mem;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;

/**
 * What the processor offers and the operating system keeps across a switch of threads, asked from
 * the processor itself (Intel SDM volume 2, CPUID and XGETBV; AMD APM volume 3, appendix E).
 *
 * @param name the brand string
 * @param sets the instruction sets that kernels may use here
 * @param bfloat16 whether there is AVX512_BF16
 * @param l2Bytes level 2 cache
 */
public record Cpu(String name, Set<InstructionSet> sets, boolean bfloat16, long l2Bytes) {
  private static final int EXTENDED = 0x8000_0000;
  private static final int BRAND = 0x8000_0002;
  private static final int CACHES = 4;
  private static final int AMD_CACHES = 0x8000_001D;

  /** XCR0: the states of SSE and AVX, and those of AVX-512 beside them. */
  private static final int AVX_STATE = 0x06;

  private static final int AVX512_STATE = 0xE6;

  /** The shapes and the data of tiles. */
  private static final int AMX_STATE = 0x6_0000;

  /** EDX of leaf 7: bfloat16, tiles, int8. */
  private static final int AMX = 1 << 22 | 1 << 24 | 1 << 25;

  /** Linux: {@code arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)}. */
  private static final int ARCH_PRCTL = 158;

  private static final int REQUEST_PERMISSION = 0x1023;
  private static final int TILE_DATA = 18;

  /** Asks the processor. */
  public static Cpu detect() throws Unavailable {
    return new Questions(ExecutableMemory.load(code())).cpu();
  }

  /**
   * Asks Linux to keep the tiles of this process's threads, without which using them is an error
   * (Linux, Documentation/arch/x86/xstate.rst).
   *
   * @return whether it does
   */
  private static boolean permitsTiles() throws Unavailable {
    if (!System.getProperty("os.name").startsWith("Linux")) {
      return false;
    }
    Assembler asm = new Assembler();
    Gp memory = Gp.R8; // the system call leaves it as it is
    asm.mov(memory, CallingConvention.ARGUMENTS.getFirst());
    asm.mov32(Gp.RAX, ARCH_PRCTL);
    asm.mov32(Gp.RDI, REQUEST_PERMISSION);
    asm.mov32(Gp.RSI, TILE_DATA);
    asm.syscall();
    asm.mov(Mem.at(memory, 0), Gp.RAX);
    asm.ret();
    MemorySegment answer = Arena.ofAuto().allocate(Long.BYTES);
    MemorySegment code = ExecutableMemory.load(asm.toBytes());
    NativeCall.call(code, answer, answer, answer, answer);
    return answer.get(ValueLayout.JAVA_LONG, 0) == 0;
  }

  /** {@code (in and out)}: EAX and ECX in; EAX, EBX, ECX, EDX out, then XCR0 if asked for. */
  private static byte[] code() {
    Assembler asm = new Assembler();
    Gp memory = Gp.R8;
    asm.push(Gp.RBX);
    asm.mov(memory, CallingConvention.ARGUMENTS.getFirst());
    asm.mov(Gp.RAX, Mem.at(memory, Questions.LEAF));
    asm.mov(Gp.RCX, Mem.at(memory, Questions.SUBLEAF));
    asm.cpuid();
    asm.mov32(Mem.at(memory, Questions.EAX), Gp.RAX);
    asm.mov32(Mem.at(memory, Questions.EBX), Gp.RBX);
    asm.mov32(Mem.at(memory, Questions.ECX), Gp.RCX);
    asm.mov32(Mem.at(memory, Questions.EDX), Gp.RDX);
    var end = asm.newLabel();
    asm.mov(Gp.RCX, Mem.at(memory, Questions.WANTS_STATE));
    asm.test(Gp.RCX, Gp.RCX);
    asm.jz(end);
    asm.mov32(Gp.RCX, 0);
    asm.xgetbv();
    asm.mov32(Mem.at(memory, Questions.STATE), Gp.RAX);
    asm.bind(end);
    asm.pop(Gp.RBX);
    asm.ret();
    return asm.toBytes();
  }

  /** One question at a time. */
  private static final class Questions {
    static final int LEAF = 0;
    static final int SUBLEAF = 8;
    static final int WANTS_STATE = 16;
    static final int EAX = 24;
    static final int EBX = 28;
    static final int ECX = 32;
    static final int EDX = 36;
    static final int STATE = 40;

    private final MemorySegment code;
    private final MemorySegment memory = Arena.ofAuto().allocate(64, 64);

    Questions(MemorySegment code) {
      this.code = code;
    }

    Cpu cpu() throws Unavailable {
      boolean evex = false;
      boolean bfloat16 = false;
      Set<InstructionSet> sets = EnumSet.noneOf(InstructionSet.class);
      ask(1, 0, false);
      boolean fma = bit(ECX, 12) && bit(ECX, 28);
      if (bit(ECX, 27)) { // OSXSAVE: XGETBV exists
        ask(1, 0, true);
        int state = get(STATE);
        int leaves = ask(0, 0, false);
        if (leaves >= 7 && fma && (state & AVX_STATE) == AVX_STATE) {
          int subleaves = ask(7, 0, false);
          boolean avx2 = bit(EBX, 5);
          boolean amx = (get(EDX) & AMX) == AMX && (state & AMX_STATE) == AMX_STATE;
          evex = bit(EBX, 16) && bit(EBX, 17) && bit(EBX, 30) && bit(EBX, 31) && bit(ECX, 11);
          evex &= (state & AVX512_STATE) == AVX512_STATE;
          int more = subleaves >= 1 ? ask(7, 1, false) : 0;
          bfloat16 = evex && ((more >> 5) & 1) != 0;
          add(sets, InstructionSet.AVX2, avx2);
          add(sets, InstructionSet.AVX_VNNI, avx2 && ((more >> 4) & 1) != 0);
          add(sets, InstructionSet.AVX512, evex);
          add(sets, InstructionSet.AMX, amx && bfloat16 && permitsTiles());
        }
      }
      return new Cpu(brand(), sets, bfloat16, l2Bytes(evex));
    }

    private static void add(Set<InstructionSet> sets, InstructionSet set, boolean present) {
      if (present) {
        sets.add(set);
      }
    }

    private String brand() {
      if (Integer.compareUnsigned(ask(EXTENDED, 0, false), BRAND + 2) < 0) {
        return "x86-64";
      }
      byte[] text = new byte[48];
      for (int i = 0; i < 3; i++) {
        ask(BRAND + i, 0, false);
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, EAX, text, 16 * i, 16);
      }
      return new String(text, StandardCharsets.US_ASCII).replace('\0', ' ').strip();
    }

    /** Virtual machines may hide the caches; cores with AVX-512 have 1 MB at least. */
    private long l2Bytes(boolean avx512) {
      boolean amd = Integer.compareUnsigned(ask(EXTENDED, 0, false), AMD_CACHES) >= 0;
      int leaf = amd && (ask(AMD_CACHES, 0, false) & 31) != 0 ? AMD_CACHES : CACHES;
      for (int i = 0; i < 8; i++) {
        int what = ask(leaf, i, false);
        int type = what & 31; // 0: no more caches
        if (type == 0) {
          break;
        }
        if (((what >> 5) & 7) == 2) {
          int shape = get(EBX);
          long lineBytes = 1L + (shape & 0xfff);
          long partitions = 1L + ((shape >> 12) & 0x3ff);
          long ways = 1L + (shape >>> 22);
          return lineBytes * partitions * ways * (Integer.toUnsignedLong(get(ECX)) + 1);
        }
      }
      return avx512 ? 1 << 20 : 1 << 18;
    }

    /** The answer in EAX; the others by {@link #get}. */
    private int ask(int leaf, int subleaf, boolean state) {
      memory.set(ValueLayout.JAVA_LONG, LEAF, leaf);
      memory.set(ValueLayout.JAVA_LONG, SUBLEAF, subleaf);
      memory.set(ValueLayout.JAVA_LONG, WANTS_STATE, state ? 1 : 0);
      NativeCall.call(code, memory, memory, memory, memory);
      return get(EAX);
    }

    private int get(int register) {
      return memory.get(ValueLayout.JAVA_INT, register);
    }

    private boolean bit(int register, int number) {
      return ((get(register) >> number) & 1) != 0;
    }
  }
}
