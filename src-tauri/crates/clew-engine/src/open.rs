//! Opens saved trace files.
