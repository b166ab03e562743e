//! What training minimises: weighted cross-entropy plus Dice.

use tch::{Kind, Reduction, TchError, Tensor};

/// Cross-entropy with class weights and label smoothing, plus one minus the mean Dice overlap of the classes
/// present in the batch. `scores` is `[n, classes, h, w]`, `target` class ids `[n, h, w]`, 255 is not counted.
/// # Errors
/// If shapes disagree.
pub fn loss(scores: &Tensor, target: &Tensor, weights: &Tensor, smoothing: f64) -> Result<Tensor, TchError> {
    let entropy = scores.f_cross_entropy_loss(target, Some(weights), Reduction::Mean, 255, smoothing)?;
    entropy.f_add(&dice(scores, target)?)
}

fn dice(scores: &Tensor, target: &Tensor) -> Result<Tensor, TchError> {
    let classes = scores.size4()?.1;
    let counted = target.f_ne(255)?.f_unsqueeze(1)?.f_to_kind(Kind::Float)?;
    let truth = target.f_clamp(0, classes - 1)?.f_one_hot(classes)?.f_permute([0, 3, 1, 2])?;
    let truth = truth.f_to_kind(Kind::Float)?.f_mul(&counted)?;
    let share = scores.f_softmax(1, Kind::Float)?.f_mul(&counted)?;
    let sum = |x: &Tensor| x.f_sum_dim_intlist([0_i64, 2, 3].as_slice(), false, Kind::Float);
    let (both, wanted, given) = (sum(&share.f_mul(&truth)?)?, sum(&truth)?, sum(&share)?);
    // Fifty pixels of smoothing: a class with a handful of pixels in the batch does not shout.
    let overlap =
        both.f_mul_scalar(2.)?.f_add_scalar(50.)?.f_div(&wanted.f_add(&given)?.f_add_scalar(50.)?)?;
    let present = wanted.f_gt(0.)?.f_to_kind(Kind::Float)?;
    let missed = overlap.f_neg()?.f_add_scalar(1.)?.f_mul(&present)?.f_sum(Kind::Float)?;
    missed.f_div(&present.f_sum(Kind::Float)?.f_clamp_min(1.)?)
}
