package dev.switchyard.kernels.backend.x86.asm;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Writes x86-64 machine code into a growing buffer. Each method emits one instruction, and hands
 * its text in the syntax of the manuals to an optional listing, which GNU {@code as} can assemble
 * for comparison. Encodings follow the Intel SDM, volume 2: section 2.1 (legacy), 2.3 (VEX), 2.7
 * (EVEX); those of tiles are in the instruction reference there.
 *
 * <p>An instruction takes VEX where it can and EVEX where it must: for 512 bits, registers from 16
 * on, masks, and broadcast operands.
 */
public final class Assembler {
  private static final int REX_W = 0x48;
  private static final int NO_INDEX = 4;
  private static final int NO_REGISTER = 0;

  private final Consumer<String> listing;
  private byte[] code = new byte[4096];
  private int size;
  private int labels;

  /** An assembler without a listing. */
  public Assembler() {
    this(null);
  }

  /**
   * An assembler that tells the text of what it emits.
   *
   * @param listing takes one line an instruction or label; null for none
   */
  public Assembler(Consumer<String> listing) {
    this.listing = listing;
  }

  /** The code so far; all labels in use must be bound. */
  public byte[] toBytes() {
    return Arrays.copyOf(code, size);
  }

  /** Where the next instruction goes. */
  public int position() {
    return size;
  }

  // Labels and jumps

  public Label newLabel() {
    return new Label(labels++);
  }

  /** The label is here. */
  public void bind(Label label) {
    if (label.position >= 0) {
      throw new IllegalStateException(label + " is bound twice");
    }
    label.position = size;
    for (int use : label.uses) {
      patch(use, size - (use + 4));
    }
    label.uses.clear();
    say(label, ":");
  }

  /** Fills the code up with no-operations until a multiple of {@code bytes}, a power of two. */
  public void align(int bytes) {
    while ((size & (bytes - 1)) != 0) {
      nop();
    }
  }

  public void nop() {
    say("nop");
    put(0x90);
  }

  public void jmp(Label to) {
    say("{disp32} jmp ", to);
    put(0xE9);
    distance(to);
  }

  /** Jumps if the last comparison found equality, or the last result was zero. */
  public void jz(Label to) {
    conditional("jz", 0x84, to);
  }

  public void jnz(Label to) {
    conditional("jnz", 0x85, to);
  }

  /** Jumps if the last comparison or subtraction went below zero, signed. */
  public void jl(Label to) {
    conditional("jl", 0x8C, to);
  }

  public void jge(Label to) {
    conditional("jge", 0x8D, to);
  }

  private void conditional(String mnemonic, int opcode, Label to) {
    say("{disp32} ", mnemonic, " ", to);
    put(0x0F);
    put(opcode);
    distance(to);
  }

  private void distance(Label to) {
    if (to.position >= 0) {
      put32(to.position - (size + 4));
    } else {
      to.uses.add(size);
      put32(0);
    }
  }

  // General-purpose registers, 64 bits wide unless said

  public void ret() {
    say("ret");
    put(0xC3);
  }

  public void push(Gp r) {
    say("push ", r);
    if (r.number >= 8) {
      put(0x41);
    }
    put(0x50 + (r.number & 7));
  }

  public void pop(Gp r) {
    say("pop ", r);
    if (r.number >= 8) {
      put(0x41);
    }
    put(0x58 + (r.number & 7));
  }

  public void mov(Gp to, Gp from) {
    say("mov ", to, ", ", from);
    registers(0x89, from, to);
  }

  public void mov(Gp to, Mem from) {
    say("mov ", to, ", QWORD PTR ", from);
    memory(REX_W, 0x8B, to.number, from);
  }

  public void mov(Mem to, Gp from) {
    say("mov QWORD PTR ", to, ", ", from);
    memory(REX_W, 0x89, from.number, to);
  }

  /** The lower 32 bits to memory. */
  public void mov32(Mem to, Gp from) {
    say("mov DWORD PTR ", to, ", ", from.lower());
    memory(0x40, 0x89, from.number, to);
  }

  /** A 32-bit constant; the upper half becomes zero. */
  public void mov32(Gp to, int constant) {
    say("mov ", to.lower(), ", ", constant);
    if (to.number >= 8) {
      put(0x41);
    }
    put(0xB8 + (to.number & 7));
    put32(constant);
  }

  public void lea(Gp to, Mem from) {
    say("lea ", to, ", ", from);
    memory(REX_W, 0x8D, to.number, from);
  }

  public void add(Gp to, Gp what) {
    say("add ", to, ", ", what);
    registers(0x01, what, to);
  }

  public void sub(Gp from, Gp what) {
    say("sub ", from, ", ", what);
    registers(0x29, what, from);
  }

  public void add(Gp to, Mem what) {
    say("add ", to, ", QWORD PTR ", what);
    memory(REX_W, 0x03, to.number, what);
  }

  public void add(Gp to, int constant) {
    immediate("add", 0, to, constant);
  }

  public void sub(Gp to, int constant) {
    immediate("sub", 5, to, constant);
  }

  public void cmp(Gp r, int constant) {
    immediate("cmp", 7, r, constant);
  }

  public void test(Gp left, Gp right) {
    say("test ", left, ", ", right);
    registers(0x85, right, left);
  }

  /** Subtracts a small constant from 64 bits in memory. */
  public void sub(Mem from, int constant) {
    say("sub QWORD PTR ", from, ", ", constant);
    if (constant != (byte) constant) {
      throw new IllegalArgumentException("constant " + constant + " does not fit a byte");
    }
    memory(REX_W, 0x83, 5, from);
    put(constant);
  }

  private void immediate(String mnemonic, int extension, Gp r, int constant) {
    say(mnemonic, " ", r, ", ", constant);
    put(REX_W | (r.number >= 8 ? 1 : 0));
    boolean small = constant == (byte) constant;
    if (!small && r == Gp.RAX) { // the accumulator has a shorter form
      put((extension << 3) | 5);
      put32(constant);
      return;
    }
    put(small ? 0x83 : 0x81);
    put(modrm(3, extension, r.number));
    if (small) {
      put(constant);
    } else {
      put32(constant);
    }
  }

  /** {@code a *= b}. */
  public void imul(Gp a, Gp b) {
    say("imul ", a, ", ", b);
    put(REX_W | (a.number >= 8 ? 4 : 0) | (b.number >= 8 ? 1 : 0));
    put(0x0F);
    put(0xAF);
    put(modrm(3, a.number, b.number));
  }

  /** Brings a cache line into L1, to be read. */
  public void prefetcht0(Mem line) {
    say("prefetcht0 ", line);
    legacy0F(0x18, 1, line);
  }

  /** Brings a cache line into L2, to be read. */
  public void prefetcht1(Mem line) {
    say("prefetcht1 ", line);
    legacy0F(0x18, 2, line);
  }

  /** Brings a cache line near, to be written. */
  public void prefetchw(Mem line) {
    say("prefetchw ", line);
    legacy0F(0x0D, 1, line);
  }

  /** EAX, EBX, ECX, EDX = what the processor says to question (EAX, ECX). */
  public void cpuid() {
    say("cpuid");
    put(0x0F);
    put(0xA2);
  }

  /** EDX:EAX = the register states that the operating system saves; ECX must be 0. */
  public void xgetbv() {
    say("xgetbv");
    put(0x0F);
    put(0x01);
    put(0xD0);
  }

  /** Asks the operating system, in the way of its own convention for registers. */
  public void syscall() {
    say("syscall");
    put(0x0F);
    put(0x05);
  }

  private void legacy0F(int opcode, int extension, Mem m) {
    int rex = rexOf(0, m);
    if (rex != 0) {
      put(0x40 | rex);
    }
    put(0x0F);
    put(opcode);
    modrm(extension, m, 1);
  }

  private void registers(int opcode, Gp reg, Gp rm) {
    put(REX_W | (reg.number >= 8 ? 4 : 0) | (rm.number >= 8 ? 1 : 0));
    put(opcode);
    put(modrm(3, reg.number, rm.number));
  }

  private void memory(int rexBase, int opcode, int reg, Mem m) {
    int rex = rexBase | rexOf(reg, m);
    if (rex != 0x40) {
      put(rex);
    }
    put(opcode);
    modrm(reg & 7, m, 1);
  }

  private static int rexOf(int reg, Mem m) {
    int r = reg >= 8 ? 4 : 0;
    int x = m.index() != null && m.index().number >= 8 ? 2 : 0;
    return r | x | (m.base().number >= 8 ? 1 : 0);
  }

  // Masks

  /** The lower 16 bits of memory into a mask. */
  public void kmovw(Mask to, Mem from) {
    say("kmovw ", name(to), ", WORD PTR ", from);
    vexPrefix(to.number, 0, from, 0, 1, 0, 0);
    put(0x90);
    modrm(to.number, from, 1);
  }

  // Vectors

  /** Forgets the upper halves of the lower 16 registers, which would slow legacy SSE code down. */
  public void vzeroupper() {
    say("vzeroupper");
    put(0xC5);
    put(0xF8);
    put(0x77);
  }

  /** {@code dst = op(src)}. */
  public void op(VectorOp op, Vec dst, Operand src) {
    say(text(op, dst, Mask.ALL, null, src, ""));
    encode(op, Math.max(dst.bytes(), bytes(src)), dst.number(), NO_REGISTER, src, Mask.ALL, false);
  }

  /** {@code dst = op(a, b)}, which for some instructions also reads dst. */
  public void op(VectorOp op, Vec dst, Vec a, Operand b) {
    say(text(op, dst, Mask.ALL, a, b, ""));
    encode(op, dst.bytes(), dst.number(), a.number(), b, Mask.ALL, false);
  }

  /** {@code dst = op(a, b)} with a constant. */
  public void op(VectorOp op, Vec dst, Vec a, Operand b, int constant) {
    say(text(op, dst, Mask.ALL, a, b, ", " + constant));
    encode(op, dst.bytes(), dst.number(), a.number(), b, Mask.ALL, false);
    put(constant);
  }

  /** {@code dst = src} shifted by a constant number of bits in each element. */
  public void op(VectorOp op, Vec dst, Vec src, int bits) {
    say(text(op, dst, Mask.ALL, null, src, ", " + bits));
    encode(op, dst.bytes(), op.extension(), dst.number(), src, Mask.ALL, false);
    put(bits);
  }

  /** Loads the selected lanes, zeros in the others. */
  public void load(VectorOp op, Vec dst, Mask mask, Mem from) {
    say(text(op, dst, mask, null, from, ""));
    encode(op, dst.bytes(), dst.number(), NO_REGISTER, from, mask, mask != Mask.ALL);
  }

  /** Writes all lanes. */
  public void store(VectorOp op, Mem to, Vec src) {
    store(op, to, Mask.ALL, src);
  }

  /** Writes the selected lanes; the others stay as they are. */
  public void store(VectorOp op, Mem to, Mask mask, Vec src) {
    say(op.mnemonic(), " ", to, braces(mask), ", ", src);
    encode(op, src.bytes(), src.number(), NO_REGISTER, to, mask, false);
  }

  /** Writes the lanes that the vector {@code select} has the top bit of. */
  public void store(VectorOp op, Mem to, Vec select, Vec src) {
    say(op.mnemonic(), " ", to, ", ", select, ", ", src);
    encode(op, src.bytes(), src.number(), select.number(), to, Mask.ALL, false);
  }

  // Tiles

  /**
   * Gives the tile registers the shapes that 64 bytes in memory describe, and fills them with 0.
   */
  public void ldtilecfg(Mem shapes) {
    say("ldtilecfg ", shapes);
    vexPrefix(0, 0, shapes, 0, 2, 0, 0);
    put(0x49);
    modrm(0, shapes, 1);
  }

  /** Forgets tiles and shapes, so that there is less to save when threads are switched. */
  public void tilerelease() {
    say("tilerelease");
    tilePrefix(0, 0);
    put(0x49);
    put(0xC0);
  }

  /** Fills a tile with zeros. */
  public void tilezero(Tmm tile) {
    say("tilezero ", tile);
    tilePrefix(0, 3);
    put(0x49);
    put(modrm(3, tile.number(), 0));
  }

  /** Loads the rows of a tile, which lie as far apart as the index of the address says. */
  public void tileloadd(Tmm to, Mem from) {
    say("tileloadd ", to, ", ", from);
    strided(3, to, from);
  }

  /** Stores the rows of a tile, as far apart as the index of the address says. */
  public void tilestored(Mem to, Tmm from) {
    say("tilestored ", to, ", ", from);
    strided(2, from, to);
  }

  private void strided(int prefix, Tmm tile, Mem memory) {
    vexPrefix(0, 0, memory, prefix, 2, 0, 0);
    put(0x4B);
    modrm(tile.number(), memory, 1);
  }

  /** {@code sums += left . right} over bytes, signed by unsigned, without saturation. */
  public void tdpbsud(Tmm sums, Tmm left, Tmm right) {
    say("tdpbsud ", sums, ", ", left, ", ", right);
    tileProduct(0x5E, sums, left, right);
  }

  /** {@code sums += left . right} over bfloat16 numbers, in float. */
  public void tdpbf16ps(Tmm sums, Tmm left, Tmm right) {
    say("tdpbf16ps ", sums, ", ", left, ", ", right);
    tileProduct(0x5C, sums, left, right);
  }

  private void tileProduct(int opcode, Tmm sums, Tmm left, Tmm right) {
    tilePrefix(right.number(), 2);
    put(opcode);
    put(modrm(3, sums.number(), left.number()));
  }

  /** VEX for tile registers alone, none of which needs its extension bits. */
  private void tilePrefix(int vvvv, int pp) {
    put(0xC4);
    put(0xE2);
    put(((~vvvv & 15) << 3) | pp);
  }

  private static int bytes(Operand operand) {
    return operand instanceof Vec v ? v.bytes() : 0;
  }

  private void encode(
      VectorOp op, int bytes, int reg, int vvvv, Operand rm, Mask mask, boolean zeroing) {
    if (needsEvex(op, bytes, reg, vvvv, rm, mask)) {
      int compress = rm instanceof Mem m ? op.memoryBytes(bytes, m.broadcast()) : 1;
      evexPrefix(op, bytes, reg, vvvv, rm, mask, zeroing);
      put(op.opcode);
      operand(reg, rm, compress);
    } else {
      vexPrefix(reg, vvvv, rm, op.prefix.bits, op.map, bytes == 32 ? 1 : 0, 0);
      put(op.opcode);
      operand(reg, rm, 1);
    }
  }

  private static boolean needsEvex(
      VectorOp op, int bytes, int reg, int vvvv, Operand rm, Mask mask) {
    boolean high = reg >= 16 || vvvv >= 16 || (rm instanceof Vec v && v.number() >= 16);
    boolean spread = rm instanceof Mem m && m.broadcast();
    boolean needs = bytes == 64 || high || spread || mask != Mask.ALL;
    if (needs && op.encoding == VectorOp.Encoding.VEX) {
      throw new IllegalArgumentException(op + " has no EVEX form, which its operands need");
    }
    return needs || op.encoding == VectorOp.Encoding.EVEX;
  }

  /** SDM volume 2, section 2.3.5; R, X, B and vvvv are stored inverted. */
  private void vexPrefix(int reg, int vvvv, Operand rm, int pp, int map, int length, int w) {
    int r = reg >> 3 & 1;
    int x = rm instanceof Mem m && m.index() != null ? m.index().number >> 3 : 0;
    int b = rm instanceof Mem m ? m.base().number >> 3 : ((Vec) rm).number() >> 3 & 1;
    int low = ((~vvvv & 15) << 3) | (length << 2) | pp;
    if (x == 0 && b == 0 && map == 1 && w == 0) {
      put(0xC5);
      put(((r ^ 1) << 7) | low);
    } else {
      put(0xC4);
      put(((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | map);
      put((w << 7) | low);
    }
  }

  /** SDM volume 2, section 2.7.1; a register operand in rm has its fifth bit in X. */
  private void evexPrefix(
      VectorOp op, int bytes, int reg, int vvvv, Operand rm, Mask mask, boolean zeroing) {
    int r = reg >> 3 & 1;
    int rHigh = reg >> 4;
    int x;
    int b;
    boolean spread = false;
    switch (rm) {
      case Vec v -> {
        x = v.number() >> 4;
        b = v.number() >> 3 & 1;
      }
      case Mem m -> {
        x = m.index() == null ? 0 : m.index().number >> 3;
        b = m.base().number >> 3;
        spread = m.broadcast();
      }
    }
    put(0x62);
    put(((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | ((rHigh ^ 1) << 4) | op.map);
    put((op.evexW << 7) | ((~vvvv & 15) << 3) | 4 | op.prefix.bits);
    int length = bytes / 32; // 0, 1, 2 for 16, 32, 64 bytes
    int highV = (vvvv >> 4) ^ 1;
    put((zeroing ? 0x80 : 0) | (length << 5) | (spread ? 0x10 : 0) | (highV << 3) | mask.number);
  }

  private void operand(int reg, Operand rm, int compress) {
    switch (rm) {
      case Vec v -> put(modrm(3, reg, v.number()));
      case Mem m -> modrm(reg & 7, m, compress);
    }
  }

  /**
   * ModRM, SIB and displacement (SDM volume 2, section 2.1.5). EVEX counts an 8-bit displacement in
   * units of {@code compress} bytes.
   */
  private void modrm(int reg, Mem m, int compress) {
    int base = m.base().number & 7;
    boolean plain = m.displacement() == 0 && base != Gp.RBP.number;
    int units = m.displacement() / compress;
    boolean small = m.displacement() % compress == 0 && units == (byte) units;
    int mode = plain ? 0 : small ? 1 : 2;
    if (m.index() == null && base != Gp.RSP.number) {
      put(modrm(mode, reg, base));
    } else {
      int index = m.index() == null ? NO_INDEX : m.index().number & 7;
      put(modrm(mode, reg, 4));
      put(modrm(Integer.numberOfTrailingZeros(m.scale()), index, base)); // SIB has the same parts
    }
    if (mode == 1) {
      put(units);
    } else if (mode == 2) {
      put32(m.displacement());
    }
  }

  private static int modrm(int mode, int reg, int rm) {
    return (mode << 6) | ((reg & 7) << 3) | (rm & 7);
  }

  // Text

  private String text(VectorOp op, Vec dst, Mask mask, Vec a, Operand b, String constant) {
    if (listing == null) {
      return "";
    }
    String form =
        op == VectorOp.VPDPBUSD && !needsEvex(op, dst.bytes(), dst.number(), a.number(), b, mask)
            ? "{vex} "
            : "";
    String last =
        switch (b) {
          case Vec v -> v.toString();
          case Mem m when m.broadcast() -> "DWORD PTR " + m + "{1to" + dst.bytes() / 4 + "}";
          case Mem m -> m.toString();
        };
    String zero = mask == Mask.ALL ? "" : "{z}";
    String first = dst + braces(mask) + zero + ", " + (a == null ? "" : a + ", ");
    return form + op.mnemonic() + " " + first + last + constant;
  }

  private static String braces(Mask mask) {
    return mask == Mask.ALL ? "" : "{" + name(mask) + "}";
  }

  private static String name(Mask mask) {
    return "k" + mask.number;
  }

  /** Takes the parts of a line, so that without a listing no text is made. */
  private void say(Object... parts) {
    if (listing != null) {
      StringBuilder line = new StringBuilder();
      for (Object part : parts) {
        line.append(part);
      }
      listing.accept(line.toString());
    }
  }

  // Bytes

  private void put(int value) {
    if (size == code.length) {
      code = Arrays.copyOf(code, 2 * size);
    }
    code[size++] = (byte) value;
  }

  private void put32(int value) {
    for (int shift = 0; shift < 32; shift += 8) {
      put(value >> shift);
    }
  }

  private void patch(int at, int value) {
    for (int i = 0; i < 4; i++) {
      code[at + i] = (byte) (value >> (8 * i));
    }
  }
}
