//! What is only possible at the start: lines that are found in the list of keys and say how.

/// An option of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartOption {
    /// The option, as it is typed.
    pub option: &'static str,
    /// What it does.
    pub text: &'static str,
    /// Other words for it.
    pub also: &'static str,
}

/// The options that users look for on the screen.
pub static OPTIONS: [StartOption; 7] = [
    StartOption {
        option: "--host HOST",
        text: "host of another server; repeated: several in one view",
        also: "localhost second connect address port remote",
    },
    StartOption {
        option: "--prefix run1. --prefix run2.",
        text: "two runs laid over each other",
        also: "overlay compare runs two keys in one chart",
    },
    StartOption {
        option: "--once --format csv",
        text: "print the newest points as CSV, or as JSON",
        also: "csv export json spreadsheet plain print",
    },
    StartOption {
        option: "--view FILE",
        text: "a saved view; log = \"off\" in it hides the log",
        also: "open load hide log view toml",
    },
    StartOption {
        option: "--replay FILE",
        text: "a saved session, without a server",
        also: "open load session share recording",
    },
    StartOption {
        option: "--theme NAME",
        text: "a theme from the start, or a file of your own",
        also: "theme colour color colors dark light mode look",
    },
    StartOption {
        option: "--ascii",
        text: "draw in ASCII; --glyphs chooses among others",
        also: "ascii glyphs font braille octant characters",
    },
];
