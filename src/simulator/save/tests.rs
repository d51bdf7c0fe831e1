//! Saving rows: order, errors, effects, history and events.
