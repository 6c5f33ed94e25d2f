package dev.switchyard.kernels.backend;

import dev.switchyard.kernels.data.Bfloat16Matrix;
import dev.switchyard.kernels.data.ElementType;
import dev.switchyard.kernels.data.Epilogue;
import dev.switchyard.kernels.data.FloatMatrix;
import dev.switchyard.kernels.data.Form;
import dev.switchyard.kernels.data.IntMatrix;
import dev.switchyard.kernels.data.Matrix;
import dev.switchyard.kernels.data.PackedMatrix;
import dev.switchyard.kernels.data.QuantizedMatrix;
import dev.switchyard.kernels.data.Result;
import dev.switchyard.kernels.data.Scaling;

/**
 * A checked call: C = epilogue(A op B). Exactly one of {@code floats}, {@code bfloat16s} and {@code
 * ints} is C, the others are null. Reused from call to call, so that a call allocates nothing.
 */
public final class Product {
  private Matrix a;
  private PackedMatrix b;
  private Epilogue epilogue;
  private Result c;
  private int rows;

  public void set(Matrix newA, PackedMatrix newB, Epilogue newEpilogue, Result newC) {
    a = newA;
    b = newB;
    epilogue = newEpilogue;
    c = newC;
    rows = newB == null ? 0 : newB.form().resultRows(newA);
  }

  /** Lets go of the operands, so that a reused call does not keep them alive. */
  public void clear() {
    set(null, null, null, null);
  }

  public Matrix a() {
    return a;
  }

  public PackedMatrix b() {
    return b;
  }

  public Epilogue epilogue() {
    return epilogue;
  }

  public Result c() {
    return c;
  }

  public FloatMatrix floats() {
    return c instanceof FloatMatrix floats ? floats : null;
  }

  public Bfloat16Matrix bfloat16s() {
    return c instanceof Bfloat16Matrix bfloat16s ? bfloat16s : null;
  }

  public IntMatrix ints() {
    return c instanceof IntMatrix ints ? ints : null;
  }

  public boolean isInt8() {
    return b.type() == ElementType.INT8;
  }

  public boolean transposesA() {
    return b.form() == Form.TN;
  }

  public int rows() {
    return rows;
  }

  public int cols() {
    return b.cols();
  }

  public int inner() {
    return b.inner();
  }

  /** The scale of a row of C, from A; 1 unless the product is INT8. */
  public float rowScale(int row) {
    return a instanceof QuantizedMatrix q ? q.scales()[q.scaling() == Scaling.TENSOR ? 0 : row] : 1;
  }
}
