package dev.switchyard.kernels.backend.x86.asm;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Every instruction with operands of every kind, the same for the same seed. */
final class RandomProgram {
  private static final int[] DISPLACEMENTS = {
    0, 4, 64, -64, 128, 508, 512, -512, -516, 8128, 8192, 100_000, -1, 3, 127, -128, -129, 256
  };

  /** Instructions with two sources, of which the last may be memory or a spread element. */
  private static final VectorOp[] BINARY = {
    VectorOp.VXORPS,
    VectorOp.VORPS,
    VectorOp.VADDPS,
    VectorOp.VMULPS,
    VectorOp.VDIVPS,
    VectorOp.VANDPS,
    VectorOp.VANDNPS,
    VectorOp.VPMAXSD,
    VectorOp.VPACKSSDW,
    VectorOp.VFMADD213PS,
    VectorOp.VFMADD231PS,
    VectorOp.VPADDD,
    VectorOp.VPDPBUSD,
    VectorOp.VUNPCKLPS,
    VectorOp.VUNPCKHPS,
    VectorOp.VDPBF16PS,
    VectorOp.VCVTNE2PS2BF16
  };

  private final Random random;
  private final List<String> listing = new ArrayList<>();
  private final Assembler asm = new Assembler(listing::add);

  RandomProgram(long seed, int instructions) {
    random = new Random(seed);
    Label begin = asm.newLabel();
    Label end = asm.newLabel();
    asm.bind(begin);
    for (int i = 0; i < instructions; i++) {
      emit(i % 21, begin, end);
    }
    asm.bind(end);
    asm.ret();
    asm.align(64);
  }

  byte[] bytes() {
    return asm.toBytes();
  }

  /** The text of the program in Intel's syntax. */
  String text() {
    return ".intel_syntax noprefix\n" + String.join("\n", listing) + "\n";
  }

  private void emit(int kind, Label begin, Label end) {
    int bytes = 16 << random.nextInt(3);
    int registers = random.nextBoolean() ? 32 : 16;
    Vec a = new Vec(random.nextInt(registers), bytes);
    Vec b = new Vec(random.nextInt(registers), bytes);
    Vec c = new Vec(random.nextInt(registers), bytes);
    Mem m = memory();
    Gp r = gp();
    Mask mask = pick(Mask.K1, Mask.K2, Mask.K3, Mask.K4);
    switch (kind) {
      case 0, 1, 2, 3 -> asm.op(pick(BINARY), a, b, pick(c, m, m.spread()));
      case 4 ->
          asm.op(
              pick(VectorOp.VPMADDWD, VectorOp.VUNPCKLPD, VectorOp.VUNPCKHPD, VectorOp.VPACKSSWB),
              a,
              b,
              pick(c, m));
      case 5 -> asm.op(VectorOp.VMOVUPS, a, m);
      case 6 -> asm.op(VectorOp.VBROADCASTSS, a, pick(m, c.as(16)));
      case 7 -> asm.load(VectorOp.VMOVUPS, a, mask, m);
      case 8 -> asm.store(VectorOp.S_VMOVUPS, m, pick(Mask.values()), a);
      case 9 -> asm.op(pick(VectorOp.VPMOVZXBD, VectorOp.VPMOVSXBD), a, pick(m, c.as(16)));
      case 10 -> asm.op(pick(VectorOp.VPMOVZXWD, VectorOp.VPMOVSXBW), a, pick(m, half(c)));
      case 11 ->
          asm.op(pick(VectorOp.VPSLLD, VectorOp.VPSRLD, VectorOp.VPSRAD), a, b, random.nextInt(32));
      case 12 -> {
        asm.op(VectorOp.VSHUFF32X4, a.as(64), b.as(64), pick(c.as(64), m), random.nextInt(256));
        asm.op(VectorOp.VPERM2F128, low(a), low(b), pick(low(c), m), random.nextInt(256));
        asm.op(VectorOp.VSHUFPS, a, b, pick(c, m, m.spread()), random.nextInt(256));
        asm.op(VectorOp.VPERMD, wide(a), wide(b), pick(wide(c), m));
      }
      case 13 -> {
        asm.op(VectorOp.VCVTNEPS2BF16, half(a), a);
        asm.op(pick(VectorOp.VCVTDQ2PS, VectorOp.VCVTPS2DQ), a, pick(b, m, m.spread()));
      }
      case 14 -> {
        asm.store(VectorOp.S_VMASKMOVPS, m, low(b), low(a));
        asm.op(VectorOp.VMASKMOVPS, low(a), low(b), m);
      }
      case 15 -> {
        asm.mov(r, m);
        asm.mov(m, r);
        asm.lea(r, m);
        asm.add(r, m);
        asm.mov32(m, r);
        asm.sub(m, 1);
      }
      case 16 -> {
        Gp other = gp();
        asm.mov(r, other);
        asm.add(r, other);
        asm.sub(r, other);
        asm.imul(r, other);
        asm.test(r, other);
        asm.push(r);
        asm.pop(other);
      }
      case 17 -> {
        asm.add(r, displacement());
        asm.sub(r, displacement());
        asm.cmp(r, displacement());
        asm.mov32(r, random.nextInt());
      }
      case 18 -> {
        asm.jmp(begin);
        asm.jz(end);
        asm.jnz(begin);
        asm.jl(end);
        asm.jge(begin);
        asm.cpuid();
        asm.xgetbv();
        asm.vzeroupper();
      }
      case 19 -> {
        Mem rows = Mem.at(gp(), pick(Gp.RAX, Gp.RBP, Gp.R9, Gp.R12), 1, displacement());
        asm.ldtilecfg(m);
        asm.tilezero(tile());
        asm.tileloadd(tile(), rows);
        int first = random.nextInt(8); // three different ones
        int apart = 1 + random.nextInt(3);
        Tmm sums = new Tmm(first);
        Tmm left = new Tmm((first + apart) % 8);
        Tmm right = new Tmm((first + 2 * apart) % 8);
        asm.tdpbsud(sums, left, right);
        asm.tdpbf16ps(sums, left, right);
        asm.tilestored(rows, tile());
        asm.tilerelease();
        asm.syscall();
      }
      default -> {
        asm.kmovw(mask, m);
        asm.prefetcht0(m);
        asm.prefetcht1(m);
        asm.prefetchw(m);
      }
    }
  }

  private Mem memory() {
    Gp index = random.nextBoolean() ? gp() : null;
    if (index == null || index == Gp.RSP) { // RSP cannot be an index
      return Mem.at(gp(), displacement());
    }
    return Mem.at(gp(), index, 1 << random.nextInt(4), displacement());
  }

  private int displacement() {
    return DISPLACEMENTS[random.nextInt(DISPLACEMENTS.length)];
  }

  private Gp gp() {
    return pick(Gp.values());
  }

  private Tmm tile() {
    return new Tmm(random.nextInt(8));
  }

  private static Vec half(Vec v) {
    return v.as(Math.max(16, v.bytes() / 2));
  }

  private static Vec wide(Vec v) {
    return v.as(Math.max(32, v.bytes()));
  }

  private static Vec low(Vec v) {
    return new Vec(v.number() % 16, 32);
  }

  @SafeVarargs
  private <T> T pick(T... choices) {
    return choices[random.nextInt(choices.length)];
  }
}
