//! Secrets of the operator: encrypted at rest, given out by name, redacted wherever they would show.
