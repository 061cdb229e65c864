//! The host's outgoing connections: every address decided after resolution, every hop anew.
