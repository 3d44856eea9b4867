//! Pictures of how cost grows: logarithmic on both axes, so that a straight line's steepness is the exponent.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;

use crate::growth::{Curve, points};
use crate::measure::Outcome;

const SIZE: (u32, u32) = (760, 440);
/// Of the Okabe-Ito palette: they differ for everyone.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 128, 96)];

/// Draws a curve's contenders into an SVG file.
pub fn draw(curve: &Curve, outcomes: &[Outcome], names: &[&str], file: &Path) -> Result<()> {
    let failed = |error: DrawingAreaErrorKind<_>| anyhow!("cannot draw: {error}");
    let series: Vec<(&str, Vec<(f64, f64)>)> =
        names.iter().map(|name| (*name, points(outcomes, curve.row, name))).collect();
    let all = || series.iter().flat_map(|(_, points)| points);
    let span = |axis: fn(&(f64, f64)) -> f64| {
        let (low, high) = all().map(axis).fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        (low / 1.3)..(high * 1.3)
    };
    let drawing = SVGBackend::new(file, SIZE).into_drawing_area();
    drawing.fill(&WHITE).map_err(failed)?;
    let mut chart = ChartBuilder::on(&drawing)
        .caption(curve.title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(span(|p| p.0).log_scale(), span(|p| p.1).log_scale())
        .map_err(failed)?;
    let label = |value: &f64| if *value >= 1.0 { format!("{value:.0}") } else { value.to_string() };
    chart
        .configure_mesh()
        .x_desc(curve.x)
        .y_desc(curve.y)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .light_line_style(RGBColor(236, 236, 236))
        .draw()
        .map_err(failed)?;
    for ((name, points), colour) in series.iter().zip(COLOURS) {
        let line = chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2))).map_err(failed)?;
        line.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        let dots = points.iter().map(|point| Circle::new(*point, 4, colour.filled()));
        chart.draw_series(dots).map_err(failed)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(160, 160, 160))
        .draw()
        .map_err(failed)?;
    drawing.present().map_err(failed).with_context(|| format!("{}", file.display()))
}
