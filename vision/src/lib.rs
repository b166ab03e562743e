//! Camera frames to plants on the ground.
