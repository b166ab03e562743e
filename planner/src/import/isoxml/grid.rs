//! Prescriptions from ISO 11783-10 task data: treatment zones (`TZN`) on a grid (`GRD`, `GRDnnnnn.BIN`).
//!
//! Grid type 1 holds a zone code of one byte per cell, type 2 the values themselves, little-endian `i32`, one per process
//! data variable of the zone that the grid names. Cells run from west to east, then from south to north, in degrees of
//! WGS 84, which is taken as ETRS89 like every other degree. Lenient: what is not understood becomes a warning; what would
//! spray something else than was meant is an error.

use crate::import::ImportError;
use kompas_field::units::LitresPerHectare;
use kompas_field::{FallbackRates, Field, Prescription};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

mod error;
pub use error::GridError;

/// Process data "setpoint volume per area".
const SETPOINT_VOLUME_PER_AREA: u32 = 1;
/// Of 1 l/ha, which is 100 mm³/m²: the data dictionary (ISO 11783-11) counts volume per area in hundredths of a mm³/m².
pub(crate) const UNITS_PER_L_PER_HA: f64 = 10_000.0;

/// A grid of rates in degrees, as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct RateGrid {
    /// South edge, degrees.
    pub south_deg: f64,
    /// West edge, degrees.
    pub west_deg: f64,
    /// Height of a cell, degrees.
    pub cell_north_deg: f64,
    /// Width of a cell, degrees.
    pub cell_east_deg: f64,
    /// Cells from west to east.
    pub cols: usize,
    /// Cells from south to north.
    pub rows: usize,
    /// West to east, then south to north.
    pub rates: Vec<LitresPerHectare>,
    /// In the field, where the grid does not lie.
    pub default_l_per_ha: LitresPerHectare,
    /// What was left aside, for people.
    pub warnings: Vec<String>,
}

/// The first grid of `TASKDATA.XML` (`xml`). `file` gives the bytes of a file of the folder by its name without regard to
/// case: grids (`GRD00001.BIN`) and parts of the task data kept apart (`TSK00000.XML`).
///
/// # Errors
/// [`GridError`].
pub fn grid_from_task_data(
    xml: &str,
    mut file: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Result<RateGrid, GridError> {
    let mut found = Found::default();
    found.read("TASKDATA.XML", xml)?;
    for name in std::mem::take(&mut found.parts) {
        let name = format!("{name}.XML");
        match file(&name) {
            Some(bytes) => found.read(&name, &String::from_utf8_lossy(&bytes))?,
            None => found.warnings.push(format!("{name} is missing")),
        }
    }
    let Some(task) = found.tasks.iter().position(|task| task.grid.is_some()) else {
        return Err(GridError::NoGrid);
    };
    if found.tasks.iter().filter(|task| task.grid.is_some()).count() > 1 {
        found.warnings.push("more than one task has a grid: only the first counts".to_owned());
    }
    let task = found.tasks.swap_remove(task);
    let grid = task.grid.clone().ok_or(GridError::NoGrid)?;
    let bytes = file(&format!("{}.BIN", grid.name)).ok_or(GridError::NoBinary { name: grid.name.clone() })?;
    task.decoded(&grid, &bytes, found.warnings)
}

impl RateGrid {
    /// On the field's own grid, by the rate at the middle of each cell; cells off the field get nothing. Says in words where
    /// the grid does not reach, for the default rate counts there.
    ///
    /// # Errors
    /// [`GridError::Elsewhere`] when less than half of the field lies on the grid.
    pub fn on_field(&self, field: &Field) -> Result<(Prescription, Vec<String>), GridError> {
        /// Of a field's cells: a prescription of the same field in other software's outline has more.
        const LEAST_SHARE: f64 = 0.5;
        let ours = field.grid();
        let mut prescription = Prescription::new(ours, FallbackRates::CLOSED)?;
        let (mut cells, mut beside) = (0_u32, 0_u32);
        for cell in ours.cells() {
            let centre = ours.centre(cell);
            let mut places = std::iter::once(centre).chain(ours.corners(cell));
            if !places.any(|p| field.boundary.contains(p)) {
                continue;
            }
            let place = field.plane.to_geodetic(centre);
            let rate = self.at(place.lat_deg, place.lon_deg);
            // At the edge a cell's middle may lie off the field, and off a grid that ends with it.
            if field.boundary.contains(centre) {
                cells += 1;
                beside += u32::from(rate.is_none());
            }
            let rate = rate.unwrap_or(self.default_l_per_ha);
            if rate > LitresPerHectare::ZERO {
                prescription.set(cell, rate)?;
            }
        }
        let share = f64::from(cells - beside) / f64::from(cells.max(1));
        if share < LEAST_SHARE {
            return Err(GridError::Elsewhere { field: field.id.to_string(), share_pct: 100.0 * share });
        }
        let warning = (beside > 0).then(|| {
            format!(
                "{beside} of {cells} cells of the field lie off the grid and get its default of {:.1} l/ha",
                self.default_l_per_ha
            )
        });
        Ok((prescription, warning.into_iter().collect()))
    }

    /// The rate at a place; `None` off the grid.
    fn at(&self, lat_deg: f64, lon_deg: f64) -> Option<LitresPerHectare> {
        let col = ((lon_deg - self.west_deg) / self.cell_east_deg).floor();
        let row = ((lat_deg - self.south_deg) / self.cell_north_deg).floor();
        let inside = col >= 0.0 && row >= 0.0 && col < self.cols as f64 && row < self.rows as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by inside")]
        inside.then(|| self.rates[row as usize * self.cols + col as usize])
    }
}

/// Attributes of a `GRD`.
#[derive(Debug, Clone, Default)]
struct Grd {
    south_deg: f64,
    west_deg: f64,
    cell_north_deg: f64,
    cell_east_deg: f64,
    cols: usize,
    rows: usize,
    name: String,
    length: Option<usize>,
    kind: u32,
    zone: Option<u8>,
}

/// Process data of a zone: number in the dictionary and value.
type Values = Vec<(u32, i64)>;

#[derive(Debug, Default)]
struct Task {
    zones: BTreeMap<u8, Values>,
    /// Default, position lost and out of field.
    fallback: [Option<u8>; 3],
    grid: Option<Grd>,
}

#[derive(Default)]
struct Found {
    tasks: Vec<Task>,
    /// Names of parts kept in files of their own.
    parts: Vec<String>,
    zone: Option<u8>,
    warnings: Vec<String>,
}

fn text(element: &BytesStart, key: &str) -> Option<String> {
    element.try_get_attribute(key).ok().flatten().map(|a| a.value.trim().to_owned())
}

fn number<T: std::str::FromStr>(element: &BytesStart, key: &str) -> Option<T> {
    text(element, key)?.parse().ok()
}

impl Found {
    fn read(&mut self, file: &str, xml: &str) -> Result<(), GridError> {
        let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
        loop {
            match reader.read_event() {
                Ok(Event::Eof) => return Ok(()),
                Ok(Event::Start(element) | Event::Empty(element)) => self.opened(&element)?,
                Ok(Event::End(element)) if element.name().as_ref() == "TZN" => self.zone = None,
                Ok(_) => {}
                Err(e) => return Err(GridError::NotXml { file: file.to_owned(), cause: e.to_string() }),
            }
        }
    }

    fn opened(&mut self, element: &BytesStart) -> Result<(), GridError> {
        match element.name().as_ref() {
            "XFR" => self.parts.extend(text(element, "A")),
            "TSK" => {
                let fallback = ["H", "I", "J"].map(|key| number(element, key));
                self.tasks.push(Task { fallback, ..Task::default() });
            }
            "TZN" => {
                self.zone = number(element, "A");
                match (self.zone, self.tasks.last_mut()) {
                    (Some(zone), Some(task)) => {
                        task.zones.entry(zone).or_default();
                    }
                    _ => {
                        self.warnings.push("a zone (TZN) without a code or a task was left aside".to_owned());
                    }
                }
            }
            "PDV" => {
                let Some((zone, task)) = self.zone.zip(self.tasks.last_mut()) else { return Ok(()) };
                let ddi = text(element, "A").and_then(|a| u32::from_str_radix(&a, 16).ok());
                match (ddi, number(element, "B")) {
                    (Some(ddi), Some(value)) => task.zones.entry(zone).or_default().push((ddi, value)),
                    _ => self.warnings.push(format!("a value (PDV) of zone {zone} cannot be read")),
                }
            }
            "GRD" => {
                let Some(task) = self.tasks.last_mut() else {
                    self.warnings.push("a grid (GRD) outside of a task was left aside".to_owned());
                    return Ok(());
                };
                if task.grid.is_some() {
                    self.warnings.push("more than one grid in a task: only the first counts".to_owned());
                } else {
                    task.grid = Some(grd(element)?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn grd(element: &BytesStart) -> Result<Grd, GridError> {
    let real = |key: char, meaning: &'static str, low: f64| {
        number::<f64>(element, &key.to_string())
            .filter(|value| value.is_finite() && *value > low)
            .ok_or(GridError::Attribute { attribute: key, meaning })
    };
    let count = |key: char, meaning: &'static str| {
        number::<usize>(element, &key.to_string())
            .filter(|count| (1..=MOST_CELLS).contains(count))
            .ok_or(GridError::Attribute { attribute: key, meaning })
    };
    let grid = Grd {
        south_deg: real('A', "south edge", -90.1)?,
        west_deg: real('B', "west edge", -180.1)?,
        cell_north_deg: real('C', "height of a cell", 0.0)?,
        cell_east_deg: real('D', "width of a cell", 0.0)?,
        cols: count('E', "columns")?,
        rows: count('F', "rows")?,
        name: text(element, "G").ok_or(GridError::Attribute { attribute: 'G', meaning: "file name" })?,
        length: number(element, "H"),
        kind: number::<u32>(element, "I")
            .filter(|kind| [1, 2].contains(kind))
            .ok_or(GridError::Attribute { attribute: 'I', meaning: "grid type, 1 or 2" })?,
        zone: number(element, "J"),
    };
    if grid.cols.saturating_mul(grid.rows) > MOST_CELLS {
        return Err(GridError::Attribute { attribute: 'F', meaning: "rows, too many" });
    }
    Ok(grid)
}

/// 100 km² in cells of 1 m²: more is a mistake, and would fill the memory.
const MOST_CELLS: usize = 100_000_000;

impl Task {
    fn decoded(self, grid: &Grd, bytes: &[u8], mut warnings: Vec<String>) -> Result<RateGrid, GridError> {
        if grid.length.is_some_and(|length| length != bytes.len()) {
            warnings.push(format!(
                "{}.BIN has {} bytes, GRD says {}",
                grid.name,
                bytes.len(),
                grid.length.unwrap_or_default()
            ));
        }
        let cells = grid.cols * grid.rows;
        let rates = if grid.kind == 1 {
            self.of_codes(&bytes[..bytes.len().min(cells)], &mut warnings)?
        } else {
            self.of_values(grid, bytes, &mut warnings)?
        };
        if rates.len() < cells {
            warnings.push(format!("{} of {cells} cells are missing and get nothing", cells - rates.len()));
        }
        let mut rates = rates;
        rates.resize(cells, LitresPerHectare::ZERO);
        let [default_l_per_ha, lost, outside] = self.fallback.map(|zone| self.fallback_volume(zone));
        let (default_l_per_ha, lost, outside) = (default_l_per_ha?, lost?, outside?);
        if lost.max(outside) > LitresPerHectare::ZERO {
            warnings.push(
                "rates without a position and off the field were left aside: nothing is sprayed there"
                    .to_owned(),
            );
        }
        let Grd { south_deg, west_deg, cell_north_deg, cell_east_deg, cols, rows, .. } = *grid;
        Ok(RateGrid {
            south_deg,
            west_deg,
            cell_north_deg,
            cell_east_deg,
            cols,
            rows,
            rates,
            default_l_per_ha,
            warnings,
        })
    }

    /// What a zone prescribes beside the grid; nothing where it is not there or is not of litres.
    fn fallback_volume(&self, zone: Option<u8>) -> Result<LitresPerHectare, GridError> {
        match zone.map(|zone| self.volume(zone)) {
            Some(Err(several @ GridError::SeveralVolumes { .. })) => Err(several),
            other => Ok(other.and_then(Result::ok).unwrap_or(LitresPerHectare::ZERO)),
        }
    }

    /// What a zone prescribes.
    fn volume(&self, zone: u8) -> Result<LitresPerHectare, GridError> {
        let values = self.zones.get(&zone).map(Vec::as_slice).unwrap_or_default();
        let place = place_of_volume(zone, values)?;
        Ok(rate(values[place].1))
    }

    fn of_codes(&self, codes: &[u8], warnings: &mut Vec<String>) -> Result<Vec<LitresPerHectare>, GridError> {
        let mut known: BTreeMap<u8, LitresPerHectare> = BTreeMap::new();
        for code in codes {
            if known.contains_key(code) {
                continue;
            }
            let rate = if self.zones.contains_key(code) {
                self.volume(*code)?
            } else {
                warnings
                    .push(format!("the grid names zone {code}, which is not there: such cells get nothing"));
                LitresPerHectare::ZERO
            };
            known.insert(*code, rate);
        }
        Ok(codes.iter().map(|code| known[code]).collect())
    }

    fn of_values(
        &self,
        grid: &Grd,
        bytes: &[u8],
        warnings: &mut Vec<String>,
    ) -> Result<Vec<LitresPerHectare>, GridError> {
        const BYTES: usize = 4;
        let zone = grid.zone.filter(|zone| self.zones.contains_key(zone)).or_else(|| {
            warnings.push(
                "the grid names no zone for its values: the first zone with a volume counts".to_owned(),
            );
            self.zones.iter().find(|(zone, values)| place_of_volume(**zone, values).is_ok()).map(|(z, _)| *z)
        });
        let (zone, values) = zone
            .and_then(|zone| Some((zone, self.zones.get(&zone)?)))
            .ok_or(GridError::Attribute { attribute: 'J', meaning: "zone of the values" })?;
        let place = place_of_volume(zone, values)?;
        let mut negative = 0u32;
        let rates = bytes
            .chunks_exact(BYTES * values.len())
            .take(grid.cols * grid.rows)
            .map(|cell| {
                let at = BYTES * place;
                let value = i32::from_le_bytes([cell[at], cell[at + 1], cell[at + 2], cell[at + 3]]);
                negative += u32::from(value < 0);
                rate(i64::from(value))
            })
            .collect();
        if negative > 0 {
            warnings.push(format!("{negative} cells are below zero and get nothing"));
        }
        Ok(rates)
    }
}

fn place_of_volume(zone: u8, values: &[(u32, i64)]) -> Result<usize, GridError> {
    let count = values.iter().filter(|(ddi, _)| *ddi == SETPOINT_VOLUME_PER_AREA).count();
    if count > 1 {
        return Err(GridError::SeveralVolumes { zone, count });
    }
    values.iter().position(|(ddi, _)| *ddi == SETPOINT_VOLUME_PER_AREA).ok_or_else(|| {
        let all: Vec<String> = values.iter().map(|(ddi, _)| format!("{ddi:04X}")).collect();
        let found = if all.is_empty() { "nothing".to_owned() } else { format!("DDI {}", all.join(", ")) };
        GridError::NoVolume { zone, found }
    })
}

fn rate(units: i64) -> LitresPerHectare {
    LitresPerHectare::new(units.max(0) as f64 / UNITS_PER_L_PER_HA)
}

impl From<GridError> for ImportError {
    fn from(error: GridError) -> Self {
        Self::Unreadable { format: "ISOXML", cause: error.to_string() }
    }
}

#[cfg(test)]
mod tests;
