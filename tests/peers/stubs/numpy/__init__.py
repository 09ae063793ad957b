"""Stand-in for numpy: an array is its nested list."""

__version__ = "1.26.4"
int64 = "int64"


def array(data, dtype):
    assert dtype == int64
    return data
