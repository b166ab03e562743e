//! Weed map and thresholds to a rate per grid cell.

use crate::policy::Policy;
use crate::zones::Zones;
use kompas_field::prescription::PrescriptionError;
use kompas_field::units::LitresPerHectare;
use kompas_field::{FallbackRates, Field, PlantClass, Prescription, WeedMap};

/// From the middle of a grid cell to its corner.
const HALF_DIAGONAL_M: f64 = 0.708;

/// With a prescription in the policy: that one. With a map: the policy's rate where enough unwanted plants stand inside the field, nothing elsewhere.
/// Without: the policy's rate in the whole field. Off the field and without a position always nothing.
///
/// # Errors
/// A negative rate in the policy.
pub fn prescribe(
    field: &Field,
    map: Option<&WeedMap>,
    policy: &Policy,
) -> Result<Prescription, PrescriptionError> {
    let given = policy.prescription.as_ref();
    let default_l_per_ha = if map.is_some() { LitresPerHectare::ZERO } else { policy.rate_l_per_ha };
    let mut prescription = match given {
        Some(given) => given.clone(),
        None => Prescription::new(field.grid(), FallbackRates { default_l_per_ha, ..FallbackRates::CLOSED })?,
    };
    for (cell, tally) in map.filter(|_| given.is_none()).into_iter().flat_map(WeedMap::cells) {
        // A map comes from a file: its counts may be any.
        let unwanted: u64 = PlantClass::ALL
            .iter()
            .filter(|class| field.crop.role_of(**class).is_some_and(|role| policy.unwanted.contains(&role)))
            .map(|class| u64::from(tally.count(*class)))
            .sum();
        if unwanted >= u64::from(policy.min_plants.max(1)) {
            prescription.set(cell, policy.rate_l_per_ha)?;
        }
    }
    // A cell that a zone touches is not prescribed at all: other machines read the cells, not our nozzle runs.
    let grid = field.grid();
    if !policy.zones.is_empty() {
        let zones = Zones::of(&policy.zones);
        for cell in grid.cells() {
            if zones.touches(grid.centre(cell), HALF_DIAGONAL_M + policy.position_error.get()) {
                prescription.set(cell, LitresPerHectare::ZERO)?;
            }
        }
    }
    Ok(prescription)
}
