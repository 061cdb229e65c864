//! WIT value types: their JSON Schema, and JSON to value and back.
