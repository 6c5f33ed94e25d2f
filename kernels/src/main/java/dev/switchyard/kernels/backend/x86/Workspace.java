package dev.switchyard.kernels.backend.x86;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What the kernels of a call write for emitted code, and where its operands lie. */
final class Workspace {
  private static final int ALIGNMENT = 64;

  final TileArguments tile;
  final AmxArguments amx = new AmxArguments();
  final PackArguments pack = new PackArguments();
  final EpilogueArguments epilogue;
  final Region region = new Region();
  final RoundedPanel roundedPanel;
  final HeapSegment ofResult = new HeapSegment();

  // Set for each call

  final Operand a = new Operand();
  final Operand b = new Operand();
  final Operand c = new Operand();
  final Operand source = new Operand();
  final Operand target = new Operand();

  private MemorySegment packed = MemorySegment.NULL;

  Workspace(EmittedCode code) {
    tile = new TileArguments(code.set());
    epilogue = new EpilogueArguments(code.set(), tile, amx);
    roundedPanel = new RoundedPanel(code, pack);
  }

  /** Memory to pack a block of A into. */
  MemorySegment reservePacked(long bytes) {
    if (packed.byteSize() < bytes) {
      packed = Arena.ofAuto().allocate(bytes, ALIGNMENT);
    }
    return packed;
  }

  /** The block of A is in the memory reserved. */
  void usePacked(long stride) {
    a.set(packed, 0, stride);
  }

  /** The block of A is where the region is. */
  void useRegion() {
    Operand place = region.place();
    a.set(place.memory(), place.offset(), place.stride());
  }

  /** Lets go of the caller's arrays. */
  void clear() {
    region.clear();
    roundedPanel.clear();
    a.clear();
    b.clear();
    c.clear();
    target.clear();
  }
}
