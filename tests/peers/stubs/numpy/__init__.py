"""Stand-in for numpy: an array is its nested list."""

__version__ = "1.26.4"
int64, int32 = "int64", "int32"


def array(data, dtype):
    assert dtype in (int64, int32)
    return data
