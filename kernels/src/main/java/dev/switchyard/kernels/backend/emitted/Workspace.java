package dev.switchyard.kernels.backend.emitted;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What the kernels of a call write for emitted code, and where its operands lie. */
final class Workspace {
  private static final int ALIGNMENT = 64;

  final TileArguments tile;
  final RegisterTileArguments registerTile;
  final PackArguments pack = new PackArguments();
  final EpilogueArguments epilogue;
  final Region region = new Region();
  final RoundedPanel roundedPanel;
  final HeapSegment ofResult = new HeapSegment();

  /** A panel of B, and where packing puts some of it. */
  final Operand b = new Operand();

  /** On tile registers, one tile of a block of A. */
  final Operand tileOfA = new Operand();

  /** Some of C. */
  final Operand c = new Operand();

  private final Operand packed = new Operand();
  private final Operand packedSource = new Operand();
  private final Operand packedTarget = new Operand();
  private Operand a = packed;

  Workspace(EmittedCode code) {
    tile = new TileArguments(code.target());
    registerTile = new RegisterTileArguments(code.target());
    epilogue = new EpilogueArguments(code.target(), tile, registerTile);
    roundedPanel = new RoundedPanel(code, pack);
  }

  /** Makes room to pack a block of A into. */
  MemorySegment reservePacked(long bytes) {
    if (packed.memory().byteSize() < bytes) {
      MemorySegment memory = Arena.ofAuto().allocate(bytes, ALIGNMENT);
      packedSource.set(memory, 0, 0);
      packedTarget.set(memory, 0, 0);
      packed.set(memory, 0, 0); // last: its size stands for all
    }
    return packed.memory();
  }

  /** Where packing reads what was packed before. */
  Operand packedSource(long offset, long stride) {
    return packedSource.at(offset, stride);
  }

  /** Where packing puts some of A. */
  Operand packedTarget(long offset, long stride) {
    return packedTarget.at(offset, stride);
  }

  /** The block of A is in the memory reserved. */
  void usePacked(long stride) {
    a = packed.at(0, stride);
  }

  /** The block of A is where the region is. */
  void useRegion() {
    a = region.place();
  }

  /** The block of A. */
  Operand a() {
    return a;
  }

  /** Lets go of the caller's arrays. */
  void clear() {
    region.clear();
    roundedPanel.clear();
    b.clear();
    tileOfA.clear();
    c.clear();
  }
}
