//! Data sets, training, evaluation and export of the plant recognition model.
