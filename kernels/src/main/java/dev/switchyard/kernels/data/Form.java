package dev.switchyard.kernels.data;

/**
 * The three products of a linear layer Y = X W^T, named as in BLAS (N: as it is, T: transposed).
 */
public enum Form {
  /** C = A B^T: the forward product X W^T. A is [m, k], B is [n, k]. */
  NT,
  /** C = A B: the input gradient G W. A is [m, k], B is [k, n]. */
  NN,
  /** C = A^T B: the weight gradient G^T X. A is [k, m], B is [k, n]. */
  TN;

  /**
   * Rows of the product.
   *
   * @param a the left operand, as it is stored
   * @return rows of C
   */
  public int resultRows(Matrix a) {
    return this == TN ? a.cols() : a.rows();
  }

  /**
   * Length of the inner dimension as the left operand has it.
   *
   * @param a the left operand, as it is stored
   * @return the number of products in each sum
   */
  public int innerOf(Matrix a) {
    return this == TN ? a.rows() : a.cols();
  }

  /**
   * Length of the inner dimension as the right operand has it.
   *
   * @param b the right operand, as it is stored
   * @return the number of products in each sum
   */
  public int innerOfRight(Matrix b) {
    return this == NT ? b.cols() : b.rows();
  }

  /**
   * Columns of the product.
   *
   * @param b the right operand, as it is stored
   * @return columns of C
   */
  public int resultCols(Matrix b) {
    return this == NT ? b.rows() : b.cols();
  }
}
