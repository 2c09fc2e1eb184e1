//! Properties of plots.

use bitmart::Decimal;
use proptest::prelude::*;

use super::axis::Frame;
use super::{Mark, Plot, Ranking, Series};

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn plot(values: Vec<Option<Decimal>>, mark: Mark) -> Plot {
    let labels = (0..values.len()).map(|at| format!("2026-{at}")).collect();
    let series = vec![Series::new("a series", mark, values)];
    let text = str::to_owned;
    Plot { id: text("p"), title: text("A title"), description: text("Words"), labels, series }
}

/// All numbers in attributes of positions.
fn places(svg: &str) -> Vec<i64> {
    let names = ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "points"];
    let mut found = Vec::new();
    for name in names {
        for part in svg.split(&format!(" {name}=\"")).skip(1) {
            let value = part.split('"').next().unwrap_or_default();
            let numbers = value.split([' ', ',']).filter(|number| !number.is_empty());
            found.extend(numbers.map(|number| number.parse::<i64>().expect("a whole number")));
        }
    }
    found
}

#[test]
fn escapes_names() {
    let hostile = "</title><script>alert(1)</script>\"#010101\"&'";
    let mut plot = plot(vec![Some(Decimal::ONE)], Mark::Bars);
    (plot.title, plot.description) = (hostile.to_owned(), hostile.to_owned());
    plot.labels = vec![hostile.to_owned()];
    let mut other = plot.series[0].clone();
    hostile.clone_into(&mut other.name);
    plot.series.push(other);
    let bars = vec![(hostile.to_owned(), Decimal::ONE)];
    let text = str::to_owned;
    let ranking = Ranking { id: text("r"), title: text("t"), description: text("d"), bars };
    for svg in [plot.svg().expect("a value"), ranking.svg().expect("a bar")] {
        assert!(!svg.contains("<script") && !svg.contains("</title><"), "{svg}");
        assert_eq!(svg.matches("<svg").count(), 1, "{svg}");
    }
}

#[test]
fn has_a_description_and_the_colors_of_the_page() {
    let svg = plot(vec![Some(decimal("-2")), None, Some(decimal("5"))], Mark::Steps).svg();
    let svg = svg.expect("values");
    assert!(svg.contains("role=\"img\""), "{svg}");
    assert!(svg.contains("aria-labelledby=\"p-title p-desc\""), "{svg}");
    assert!(svg.contains(r#"<title id="p-title">A title</title>"#), "{svg}");
    assert!(svg.contains(r#"<desc id="p-desc">Words</desc>"#), "{svg}");
    assert!(svg.contains("var(--plot-1") && svg.contains("currentColor"), "{svg}");
    for fixed in ["\"#0", "style=", "font-family", "<script", "href"] {
        assert!(!svg.contains(fixed), "{fixed}: {svg}");
    }
}

#[test]
fn returns_no_plot_without_a_value() {
    assert_eq!(plot(vec![None, None], Mark::Steps).svg(), None);
    assert_eq!(plot(Vec::new(), Mark::Bars).svg(), None);
}

#[test]
fn shortens_axis_labels() {
    let labels = |values: &[&str], zero| {
        let frame = Frame::fit(values.iter().map(|value| decimal(value)), zero);
        frame.lines().into_iter().map(|line| frame.label(line)).collect::<Vec<_>>()
    };
    assert_eq!(labels(&["0", "100"], true), ["0", "20", "40", "60", "80", "100"]);
    assert_eq!(labels(&["-50000", "60000"], true), ["−40k", "−20k", "0", "20k", "40k", "60k"]);
    assert_eq!(labels(&["100000", "100400"], false)[1], "100k");
    assert_eq!(labels(&["0.00001", "0.00005"], true)[1], "0.00001");
    assert_eq!(labels(&["0.0000001", "0.0000004"], true)[1], "1e-7");
    assert!(labels(&["0"], true).contains(&"0".to_owned()));
}

/// The right ends of all texts that begin at their position, in pixels.
fn ends_of_texts(svg: &str) -> Vec<usize> {
    let starting = |element: &&str| element.contains("text-anchor=\"start\"");
    let end = |element: &str| {
        let (attributes, rest) = element.split_once('>')?;
        let (_, x) = attributes.split_once("x=\"")?;
        let letters = rest.split("</text>").next()?.trim().chars().count();
        Some(x.split('"').next()?.parse::<usize>().ok()? + 8 * letters)
    };
    svg.split("<text ").skip(1).filter(starting).filter_map(end).collect()
}

proptest! {
    /// For random names, the legend is within the picture and names every series.
    #[test]
    fn draws_the_legend_within_the_picture(
        names in prop::collection::vec("[a-z ]{1,30}", 2..=4),
        mark in prop::sample::select(vec![Mark::Steps, Mark::Dots, Mark::Bars]),
    ) {
        let mut plot = plot(vec![Some(Decimal::ONE)], mark);
        let values = plot.series[0].values.clone();
        plot.series = names.iter().map(|name| Series::new(name, mark, values.clone())).collect();
        let svg = plot.svg().expect("a value");
        let ends = ends_of_texts(&svg);
        prop_assert_eq!(ends.len(), names.len(), "{}", svg);
        for end in ends {
            prop_assert!(end <= 440, "{end}: {svg}");
        }
    }

    /// For random values, marks are within the picture and axis labels differ.
    #[test]
    fn draws_every_mark_within_the_picture(
        values in prop::collection::vec(
            prop::option::of((any::<i64>(), 0_u32..19).prop_map(|(digits, scale)| {
                Decimal::new(digits, scale)
            })),
            1..40,
        ),
        close in any::<bool>(),
        mark in prop::sample::select(vec![Mark::Steps, Mark::Dots, Mark::Bars]),
    ) {
        // Also values that differ little.
        let near = |value: Decimal| Decimal::ONE_HUNDRED + value / Decimal::from(u64::MAX);
        let values: Vec<_> =
            values.into_iter().map(|value| value.map(|one| if close { near(one) } else { one })).collect();
        let numbers: Vec<Decimal> = values.iter().flatten().copied().collect();
        let Some(svg) = plot(values, mark).svg() else {
            prop_assert!(numbers.is_empty());
            return Ok(());
        };
        for place in places(&svg) {
            prop_assert!((0..=440).contains(&place), "{place}: {svg}");
        }
        let frame = Frame::fit(numbers.iter().copied(), mark == Mark::Bars);
        let lines = frame.lines();
        prop_assert!(!lines.is_empty() && lines.len() <= 12, "{frame:?}");
        let mut labels: Vec<String> = lines.iter().map(|line| frame.label(*line)).collect();
        labels.sort();
        labels.dedup();
        prop_assert_eq!(labels.len(), lines.len(), "{:?}", frame);
    }
}
