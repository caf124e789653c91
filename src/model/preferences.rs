//! What one person prefers: looks, keys, times. Never part of an estate.

use std::path::PathBuf;

use super::attention::Attention;
use super::contrast;
use super::problem::Place;

/// Which clock the screens show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZoneChoice {
    /// UTC, the default: what Prometheus and Alertmanager speak.
    #[default]
    Utc,
    /// This machine's zone.
    Local,
    /// The estate's zone.
    Estate,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Unless `NO_COLOR` is set, `TERM` is `dumb`, or the output is no terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never: state is still told by glyph, word and place.
    Never,
}

/// Which of the keymaps that are built in is the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeymapChoice {
    /// With the letters that hands know from vi, besides the arrows.
    #[default]
    Default,
    /// Arrows, function keys, and letters that begin the word they mean.
    Plain,
}

/// What copies text out of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClipboardChoice {
    /// tmux inside tmux, else the terminal.
    #[default]
    Auto,
    /// The terminal, by the escape sequence OSC 52.
    Osc52,
    /// tmux alone.
    Tmux,
    /// Nothing.
    Off,
}

/// Who names the theme that a start has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeBy {
    /// Nobody: it is the one that was picked on the screen last, else dark or light, as the terminal is.
    #[default]
    Nobody,
    /// `config.toml`.
    File,
    /// `QD_THEME`.
    Variable,
    /// The context that is opened.
    Context,
    /// `--theme`.
    Flag,
}

/// What one person prefers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preferences {
    /// The theme's name, or `auto`: dark or light, as the terminal is. `None`: the one that was picked last, else that.
    pub theme: Option<String>,
    /// Who names it.
    pub theme_by: ThemeBy,
    /// Which clock the screens show.
    pub zone: ZoneChoice,
    /// Pure ASCII on the screen.
    pub ascii: bool,
    /// When colours are used.
    pub color: ColorChoice,
    /// The keymap that the own bindings lie over.
    pub keymap: KeymapChoice,
    /// True where the mouse clicks and scrolls in the console from the first; else the terminal selects text with it.
    pub mouse: bool,
    /// What copies text.
    pub clipboard: ClipboardChoice,
    /// Bindings that override that keymap.
    pub bindings: Vec<Binding>,
    /// The views that are saved in the preferences.
    pub views: Vec<SavedView>,
    /// Estates by name, as they are listed in the file.
    pub contexts: Vec<Context>,
    /// How the console calls for a person who looks elsewhere.
    pub attention: Attention,
}

/// A view under a name, as it is written. Whether there is such a pane, and whether the filter is one, is not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// The pane's name.
    pub pane: String,
    /// The filter, as it is typed after `/`.
    pub filter: String,
    /// How far charts reach, such as `6h`.
    pub range: Option<String>,
    /// Of alerts: listed by group.
    pub grouped: Option<bool>,
    /// Of alerts: the muted are listed too.
    pub muted: Option<bool>,
    /// Where it is written.
    pub place: Place,
}

/// An estate by a name, and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// Its name: what `--context` takes.
    pub name: String,
    /// The estate file, with its whole path.
    pub estate: PathBuf,
    /// The theme in it; `None` is the theme of all.
    pub theme: Option<String>,
    /// True where nothing may be changed through it.
    pub read_only: bool,
}

/// One line of a keymap file: in this layer, these keys run that action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The layer's name, such as `global` or `alerts`.
    pub layer: String,
    /// The key as it is written, such as `j`, `ctrl-r`, `f5`.
    pub on: String,
    /// The action's name; `none` takes a key away.
    pub run: String,
    /// What help says instead of the action's own line.
    pub desc: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// What a colour is for. Every screen draws with these and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Token {
    /// Plain text.
    Text,
    /// Text that may be overlooked: ages, hints, units.
    Dim,
    /// Titles, column heads and the first line.
    Title,
    /// The environment's name on the first line.
    Environment,
    /// The first line of a production estate, and the word wherever it stands.
    Production,
    /// The selected row.
    Selected,
    /// Lines between panes.
    Border,
    /// Critical.
    Critical,
    /// Warning.
    Warning,
    /// Stale or unknown.
    Unknown,
    /// Muted: silenced, inhibited.
    Muted,
    /// A key in the footer and in help.
    Key,
    /// Text being typed.
    Input,
    /// The first to sixth series of a chart.
    Series(u8),
    /// Threshold lines.
    Threshold,
    /// The cursor of a chart.
    Cursor,
}

/// A colour of a theme file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One of the terminal's own 16 colours.
    Ansi(u8),
    /// One of the 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How one token is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Foreground; `None` is the terminal's own.
    pub fg: Option<Color>,
    /// Background; `None` is the terminal's own.
    pub bg: Option<Color>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Foreground and background swapped.
    pub reverse: bool,
    /// Underlined.
    pub underline: bool,
}

/// What a terminal writes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// Light text on a dark ground: what is taken for true where nothing tells.
    #[default]
    Dark,
    /// Dark text on a light ground.
    Light,
}

impl Ground {
    /// Its word in a theme file; the built-in theme for it has the same name.
    pub fn word(self) -> &'static str {
        match self {
            Ground::Dark => "dark",
            Ground::Light => "light",
        }
    }
}

/// A named set of styles.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name: the file's name without `.toml`.
    pub name: String,
    /// The ground that it is meant for. It paints it only where `text` has a `bg`.
    pub ground: Ground,
    /// A style per token; a token that is missing is drawn as plain text.
    pub styles: std::collections::BTreeMap<Token, Style>,
}

impl Theme {
    /// The style of a token.
    pub fn style(&self, token: Token) -> Style {
        match (self.styles.get(&token), token) {
            (Some(style), _) => *style,
            // A theme that does not know of it must not hide it.
            (None, Token::Production) => Style { bold: true, reverse: true, ..self.style(Token::Critical) },
            (None, _) => Style::default(),
        }
    }

    /// This theme for a terminal that has 256 colours only.
    pub fn in_256(&self) -> Theme {
        let near = |color: Color| if let Color::Rgb(r, g, b) = color { Color::Indexed(contrast::nearest((r, g, b))) } else { color };
        let style = |style: &Style| Style { fg: style.fg.map(near), bg: style.bg.map(near), ..*style };
        Theme { styles: self.styles.iter().map(|(token, drawn)| (*token, style(drawn))).collect(), ..self.clone() }
    }

    /// This theme without any colour: bold, dim, reverse and underline stay.
    pub fn without_colour(&self) -> Theme {
        let plain = |style: &Style| Style { fg: None, bg: None, ..*style };
        let mut styles: std::collections::BTreeMap<Token, Style> = self.styles.iter().map(|(t, s)| (*t, plain(s))).collect();
        // It is told by its ground elsewhere.
        styles.insert(Token::Production, Style { bold: true, reverse: true, ..Style::default() });
        Theme { name: self.name.clone(), ground: self.ground, styles }
    }
}
