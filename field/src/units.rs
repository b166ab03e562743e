//! SI quantities as newtypes: a length cannot be passed where a rate is wanted.
//!
//! Every value is finite: constructors and deserialisation refuse NaN and infinity, so no code behind
//! them has to look again. Keys in TOML and JSON carry the unit (`width_m`), types carry it in code.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number that was NaN or infinite where a quantity was wanted.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{value} is not a finite number of {unit}")]
pub struct NotFinite {
    /// What was given.
    pub value: f64,
    /// The unit's symbol.
    pub unit: &'static str,
}

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0.0);

            /// # Panics
            /// If `value` is NaN or infinite: for constants and for results of finite arithmetic.
            /// Foreign input goes through `try_from`.
            pub const fn new(value: f64) -> Self {
                assert!(value.is_finite(), "a quantity must be finite");
                Self(value)
            }

            /// The number, in the unit of the type.
            pub const fn get(self) -> f64 {
                self.0
            }

            /// The magnitude.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// The larger of the two.
            #[must_use]
            pub const fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }

            /// The smaller of the two.
            #[must_use]
            pub const fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }
        }

        impl TryFrom<f64> for $name {
            type Error = NotFinite;
            fn try_from(value: f64) -> Result<Self, NotFinite> {
                if value.is_finite() { Ok(Self(value)) } else { Err(NotFinite { value, unit: $symbol }) }
            }
        }

        impl From<$name> for f64 {
            fn from(quantity: $name) -> f64 {
                quantity.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $symbol))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self::new(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self::new(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self::new(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self::new(self.0 / divisor)
            }
        }

        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
    };
}

unit! {
    /// A length in metres; negative only for an offset.
    Metres, "m"
}
unit! {
    /// An area in square metres.
    SquareMetres, "m²"
}
unit! {
    /// A duration in seconds; negative only for a difference.
    Seconds, "s"
}
unit! {
    /// An angle in radians, counter-clockwise. [`crate::frame::heading`] converts from and to compass degrees.
    Radians, "rad"
}
unit! {
    /// A speed in metres per second; negative only in reverse gear.
    MetresPerSecond, "m/s"
}
unit! {
    /// A turn rate in radians per second, counter-clockwise.
    RadiansPerSecond, "rad/s"
}
unit! {
    /// An application rate in litres per hectare.
    LitresPerHectare, "l/ha"
}
unit! {
    /// A flow in litres per minute.
    LitresPerMinute, "l/min"
}

impl Mul<Seconds> for MetresPerSecond {
    type Output = Metres;
    fn mul(self, time: Seconds) -> Metres {
        Metres::new(self.0 * time.0)
    }
}

impl Div<MetresPerSecond> for Metres {
    type Output = Seconds;
    fn div(self, speed: MetresPerSecond) -> Seconds {
        Seconds::new(self.0 / speed.0)
    }
}

impl Mul for Metres {
    type Output = SquareMetres;
    fn mul(self, other: Metres) -> SquareMetres {
        SquareMetres::new(self.0 * other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_the_unit() {
        assert_eq!(Metres::new(6.0) / MetresPerSecond::new(2.0), Seconds::new(3.0));
        assert_eq!(MetresPerSecond::new(2.0) * Seconds::new(3.0), Metres::new(6.0));
        assert_eq!(format!("{:.1}", LitresPerHectare::new(120.04)), "120.0 l/ha");
    }

    #[test]
    fn foreign_input_that_is_not_finite_is_refused() {
        assert_eq!(Metres::try_from(f64::INFINITY).unwrap_err().unit, "m");
        assert!(serde_json::from_str::<Metres>("1e999").is_err());
        assert!(toml::from_str::<std::collections::BTreeMap<String, Metres>>("width_m = nan").is_err());
    }
}
