"""Words that stood at the top level of tvm in v0.5 and v0.6."""

int8, int32, int64 = "int8", "int32", "int64"
float32, float64, handle = "float32", "float64", "handle"
