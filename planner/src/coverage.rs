//! Full coverage of one field as a list of drives: headland passes, swaths, and the turns between them.
//!
//! Data flow: [`layout`] (where the robot's centre may be, headland lanes, mainland) → [`swaths`] (parallel
//! strips of the mainland) → [`order`] (which swath after which) → [`tour`] (lanes put in between, every join a
//! curve that keeps its clearance, see [`join`]).

mod ahead;
pub(crate) mod connect;
pub(crate) mod course;
pub(crate) mod curve;
pub(crate) mod heading;
pub(crate) mod join;
pub(crate) mod layout;
pub(crate) mod necks;
pub(crate) mod order;
pub(crate) mod patches;
pub(crate) mod roads;
pub(crate) mod spurs;
pub(crate) mod stops;
pub(crate) mod swaths;
pub(crate) mod tally;
pub(crate) mod tour;
pub(crate) mod tries;
