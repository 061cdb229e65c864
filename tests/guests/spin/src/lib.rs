//! A tool that never ends, for limits to stop.
