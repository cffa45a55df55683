"""Pure decisions: values in, verdict out."""
