//! Tables as text.

use super::{
    line::Line,
    style::{Style, Tone},
};

/// The space between two columns.
const GAP: usize = 2;
/// No column is made narrower than this, whatever the window.
const NARROWEST: usize = 6;

/// The table with its header, aligned; numbers stand on the right. If `width` is given, the widest columns are cut to fit.
/// A table that has not even columns says so.
pub fn lines(columns: &[String], rows: &[Vec<String>], width: Option<usize>, style: Style) -> Vec<Line> {
    if columns.is_empty() && rows.iter().all(Vec::is_empty) {
        return vec![Line::of(Tone::Quiet, "(no rows)")];
    }
    let header: Vec<Line> = columns.iter().map(|name| Line::of(Tone::Strong, name)).collect();
    let body: Vec<Vec<Line>> =
        rows.iter().map(|row| row.iter().map(|cell| Line::plain(cell)).collect::<Vec<_>>()).collect();
    let numeric: Vec<bool> = (0..columns.len())
        .map(|index| {
            let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
        })
        .collect();
    aligned(header, body, &numeric, width, style)
}

/// Cells in columns under a header and a rule.
pub(super) fn aligned(
    header: Vec<Line>,
    body: Vec<Vec<Line>>,
    right: &[bool],
    width: Option<usize>,
    style: Style,
) -> Vec<Line> {
    let count = body.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
    let widest = |index: usize| {
        let cells = body.iter().chain([&header]).filter_map(|row| row.get(index));
        cells.map(Line::width).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..count).map(widest).collect();
    if let Some(width) = width {
        fit(&mut widths, width.saturating_sub(GAP * count.saturating_sub(1)));
    }
    let rule = widths.iter().map(|width| Line::of(Tone::Quiet, &style.symbols.rule.repeat(*width))).collect();
    let rows = [header, rule].into_iter().chain(body);
    rows.map(|row| {
        let last = row.len().saturating_sub(1);
        let mut line = Line::default();
        for (index, cell) in row.into_iter().enumerate() {
            let room = widths[index];
            let cell = cell.cut(room, style.symbols.ellipsis);
            let cell = match right.get(index) {
                Some(true) => cell.clone().indented(room - cell.width().min(room)),
                _ if index == last => cell,
                _ => cell.padded(room),
            };
            line = line.join(cell);
            if index != last {
                line.push(Tone::Plain, &" ".repeat(GAP));
            }
        }
        line.trimmed()
    })
    .collect()
}

/// Makes the widest narrower, one column at a time, until all fit.
fn fit(widths: &mut [usize], room: usize) {
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else {
            return;
        };
        *widest -= 1;
        excess -= 1;
    }
}
