//! What nozzles did: each opening with its product, and its volume shared over the ground that it crossed.

use super::{Stored, json, see, touch};
use crate::store::StoreError;
use crate::store::sqlite::sql;
use kompas_field::CellIndex;
use kompas_field::record::{AsApplied, NozzleOpening};
use rusqlite::{Transaction, params};

pub(super) fn store(
    tx: &Transaction<'_>,
    stored: &Stored<'_>,
    applied: &AsApplied,
) -> Result<(), StoreError> {
    let job = touch(tx, stored, &applied.mission).map_err(sql("store openings"))?;
    let product = applied.product.as_deref();
    for (place, opening) in applied.openings.iter().enumerate() {
        let text = json("opening", opening)?;
        opened(tx, stored, &job, product, place, opening, &text).map_err(sql("store openings"))?;
    }
    if !applied.openings.is_empty() {
        let products = "INSERT OR IGNORE INTO products VALUES (?1, ?2)";
        tx.execute(products, params![job, product.unwrap_or_default()]).map_err(sql("store a product"))?;
    }
    Ok(())
}

fn opened(
    tx: &Transaction<'_>,
    stored: &Stored<'_>,
    job: &str,
    product: Option<&str>,
    place: usize,
    opening: &NozzleOpening,
    text: &str,
) -> rusqlite::Result<()> {
    // Whole microlitres and square millimetres: sums do not depend on the order of arrival.
    #[expect(clippy::cast_possible_truncation, reason = "one opening's area")]
    let (volume_ul, wetted_mm2) = (opening.volume_ul(), (opening.area_m2 * 1e6).round() as i64);
    tx.prepare_cached("INSERT INTO openings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
        job,
        stored.robot(),
        stored.boot(),
        stored.envelope.key.seq,
        place,
        stored.wall_ms(opening.opened_at),
        text,
        product
    ])?;
    tx.prepare_cached(
        "UPDATE missions SET openings = openings + 1, volume_ul = volume_ul + ?2, wetted_mm2 = wetted_mm2 + ?3
         WHERE job = ?1",
    )?
    .execute(params![job, volume_ul, wetted_mm2])?;
    for (cell, volume_ul) in opening.shares_ul() {
        let CellIndex { col, row } = cell;
        let (robot, boot, seq) = (stored.robot(), stored.boot(), stored.envelope.key.seq);
        tx.prepare_cached("INSERT INTO sprayed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![job, col, row, robot, boot, seq, place, volume_ul])?;
        wet(tx, job, cell, volume_ul)?;
    }
    Ok(())
}

fn wet(tx: &Transaction<'_>, job: &str, cell: CellIndex, volume_ul: i64) -> rusqlite::Result<()> {
    see(tx, job, cell)?;
    let openings: u64 = tx
        .prepare_cached(
            "UPDATE cells SET openings = openings + 1, volume_ul = volume_ul + ?4
             WHERE job = ?1 AND col = ?2 AND row = ?3 RETURNING openings",
        )?
        .query_row(params![job, cell.col, cell.row, volume_ul], |r| r.get(0))?;
    if openings == 1 {
        tx.prepare_cached("UPDATE missions SET cells_treated = cells_treated + 1 WHERE job = ?1")?
            .execute([job])?;
    }
    Ok(())
}
