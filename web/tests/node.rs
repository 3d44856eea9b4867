//! The shared tests, natively and in Node.
mod shared;
