//! Lessons: what they claim, ask and set as a task, and how that is asserted.
//!
//! A lesson is data: a course that is played in the simulated world, and words. Beside each
//! sentence that says something checkable stands a claim; a prediction's answers and a task's goal
//! are conditions as well. All are written in one small language ([`Expression`]), and evaluated by
//! the same code in tests, in `raftarium lesson` and in the page.
//!
//! [`plan`] plays a lesson from a seed and asserts all of that. A lesson pins its course by actions
//! and events, and not by a seed that happens to be good: it is planned with many.
//!
//! ```
//! use raft_core::lesson::{Lesson, plan};
//!
//! let lesson = Lesson::read(r#"{
//!     "raftarium-lesson": 1, "chapter": "agreeing", "minutes": 1,
//!     "steps": [{
//!         "told": [{"until": "leader != nobody"}],
//!         "claims": ["size(leader.votes) >= 0 and leader.leads"],
//!         "say": {"who": "leader"}
//!     }],
//!     "words": {"en": {"title": "A leader", "aim": "See one.", "steps": [{
//!         "heading": "Elected", "sentences": ["{who} leads."]
//!     }]}}
//! }"#)?;
//! let plan = plan(&lesson, 7)?;
//! assert_eq!(plan.steps[0].last["who"].to_string(), "S2");
//! # Ok::<(), raft_core::lesson::LessonError>(())
//! ```

mod course;
mod expression;
mod facts;
mod form;
mod schema;
mod shown;
mod token;
mod value;

pub use course::{Plan, Planned, Reached, Values, filled, plan};
pub use expression::{Expression, ExpressionError, Names, is_free};
pub use facts::{Happened, SERVER_FACTS, Scene, ServerFact, WORLD_FACTS, WorldFact, events, facts_in_words};
pub use form::{AnswerWords, BYTES_MAX, Lesson, LessonError, PARTS, StepKind, StepWords, VERSION, Words};
pub use schema::json_schema;
pub use shown::{AnswerShown, Shown, StepShown};
pub use value::{Kind, RoleWord, Value};
