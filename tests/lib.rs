//! Black-box suites by behaviour, one folder each, against the real binary. Nothing to link.
