//! Enums whose items have names: each item is declared once.

/// Defines an enum, the list of its items, and their names.
macro_rules! listed {
    ($(#[$of:meta])+ $List:ident { $($(#[$doc:meta])+ $item:ident $name:literal;)+ }) => {
        $(#[$of])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $List {
            $($(#[$doc])+ $item,)+
        }

        impl $List {
            /// All of them, in their order.
            pub const ALL: [$List; [$($name),+].len()] = [$($List::$item),+];

            /// Its name, in files and for people.
            pub const fn name(self) -> &'static str {
                match self {
                    $($List::$item => $name,)+
                }
            }
        }
    };
}
pub(crate) use listed;
