//! Pictures of how cost grows, with logarithmic axes, so that the slope of a straight line is the
//! exponent.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;

use crate::growth::{Curve, points};
use crate::measure::Outcome;

const SIZE: (u32, u32) = (760, 440);
/// From the Okabe-Ito palette, which colour-blind people can distinguish, too.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 128, 96)];

/// Draws a curve's contenders into an SVG file.
pub fn draw(curve: &Curve, outcomes: &[Outcome], names: &[&str], file: &Path) -> Result<()> {
    let failed = |error: DrawingAreaErrorKind<_>| anyhow!("cannot draw: {error}");
    let series: Vec<(&str, Vec<(f64, f64)>)> =
        names.iter().map(|name| (*name, points(outcomes, curve.row, name))).collect();
    let all = || series.iter().flat_map(|(_, points)| points);
    let span = |axis: fn(&(f64, f64)) -> f64| {
        all().map(axis).fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (left, right) = span(|point| point.0);
    // Whole decades, so that there is at least one labelled line.
    let (low, high) = span(|point| point.1);
    let decade = |value: f64| 10_f64.powf(value);
    let across = left / 1.3..right * 1.3;
    let up = decade(low.log10().floor())..decade(high.log10().floor() + 1.0);
    let drawing = SVGBackend::new(file, SIZE).into_drawing_area();
    drawing.fill(&WHITE).map_err(failed)?;
    let mut chart = ChartBuilder::on(&drawing)
        .caption(curve.title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(across.log_scale(), up.log_scale())
        .map_err(failed)?;
    let label = |value: &f64| if *value >= 1.0 { format!("{value:.0}") } else { value.to_string() };
    chart
        .configure_mesh()
        .x_desc(curve.x)
        .y_desc(curve.y)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .max_light_lines(1)
        .bold_line_style(RGBColor(225, 225, 225))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
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
        .label_font(("sans-serif", 13))
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(160, 160, 160))
        .draw()
        .map_err(failed)?;
    drawing.present().map_err(failed).with_context(|| format!("{}", file.display()))
}
