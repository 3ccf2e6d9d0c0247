//! Takes OTLP from sockets.
