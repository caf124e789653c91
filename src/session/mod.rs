//! The terminal, the signals, the loop and the effects.
