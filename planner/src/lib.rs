//! Boundary, rig and weed map to a checked, drivable treatment plan.
