package dev.switchyard.kernels.backend.x86;

import dev.switchyard.kernels.backend.emitted.Conversion;
import dev.switchyard.kernels.backend.emitted.Dot;
import dev.switchyard.kernels.backend.emitted.Emitter;
import dev.switchyard.kernels.backend.emitted.Layout;
import dev.switchyard.kernels.backend.emitted.Left;
import dev.switchyard.kernels.backend.emitted.Pass;
import dev.switchyard.kernels.backend.x86.asm.Assembler;

/** The generators of an instruction set. */
final class X86Emitter implements Emitter {
  private final Assembler asm = new Assembler();
  private final InstructionSet set;

  X86Emitter(InstructionSet set) {
    this.set = set;
  }

  @Override
  public void tile(Dot dot, Left left, int rows) {
    TileGenerator.emit(asm, new TileGenerator.Kind(set, dot, left, rows));
  }

  @Override
  public void registerTile(Dot dot, Left left, boolean both) {
    AmxGenerator.emit(asm, dot, left, both);
  }

  @Override
  public void pack(Conversion conversion, Layout layout) {
    PackGenerator.emit(asm, new PackGenerator.Kind(set, conversion, layout));
  }

  @Override
  public void quantize(Pass pass) {
    QuantizeGenerator.emit(asm, set, pass);
  }

  @Override
  public void peak(Dot dot) {
    PeakGenerator.emit(asm, set, dot);
  }

  @Override
  public int position() {
    return asm.position();
  }

  @Override
  public void align(int bytes) {
    asm.align(bytes);
  }

  @Override
  public byte[] toBytes() {
    return asm.toBytes();
  }
}
