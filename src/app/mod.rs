//! What keys and data mean: state, actions, keymap, layers, update. Pure.
