//! The difference between an expected text and the actual one.

/// The lines in which `came` differs from `expected`, with a few lines around them; `None` if the
/// texts are equal. `-` marks a missing line, `+` an unexpected one, each with its line number in
/// its own text.
pub fn difference(expected: &str, came: &str) -> Option<String> {
    if expected == came {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), came.lines().collect());
    // longest[i][j]: how many lines the texts have in common from lines i and j on.
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines: Vec<(bool, String)> = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((false, format!("  {:4} {}", j + 1, new[j])));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push((true, format!("- {:4} {}", i + 1, old[i])));
            i += 1;
        } else {
            lines.push((true, format!("+ {:4} {}", j + 1, new[j])));
            j += 1;
        }
    }
    const AROUND: usize = 3;
    let near = |place: usize| {
        let (from, to) = (place.saturating_sub(AROUND), (place + AROUND + 1).min(lines.len()));
        lines[from..to].iter().any(|(differs, _)| *differs)
    };
    let mut text = String::new();
    let mut skipped = false;
    for (place, (_, line)) in lines.iter().enumerate() {
        if near(place) {
            if skipped && !text.is_empty() {
                text += "  ...\n";
            }
            text += line;
            text.push('\n');
        }
        skipped = !near(place);
    }
    // The lines are equal, but the texts aren't: line ends differ.
    Some(if text.is_empty() { "only the ends of lines differ\n".to_owned() } else { text })
}
