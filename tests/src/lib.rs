//! End-to-end stories over real processes.
