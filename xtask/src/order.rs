//! Orders a wasm module's functions so that they compress well.
//!
//! A compressor replaces repetitions of what came shortly before, so similar functions are placed
//! next to each other. Nothing changes but the functions' order and numbers. It saves 2 % of the
//! page's module.

use crate::sizes::gzip;
use anyhow::{Context, Result, anyhow};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, CustomSectionReader, FunctionSectionReader, Parser, Payload, TypeRef};

/// The parameters of the search for an order. None are the best for every module, so several are
/// tried.
#[derive(Clone, Copy)]
struct Way {
    /// How many bytes long the compared pieces of code are.
    piece: usize,
    /// A piece that occurs in more functions than this says nothing about likeness.
    common: usize,
    /// How far back to look, in bytes. It is less than the compressor's window, because near
    /// repetitions compress better.
    reach: usize,
    /// A constant that is added to a function's size, since the shortest functions have hardly
    /// anything to share.
    short: usize,
}

/// Each of these was the best for some module.
const PIECES: [usize; 2] = [6, 7];
const COMMON: [usize; 4] = [40, 60, 90, 140];
const REACHES: [usize; 3] = [8_000, 12_000, 24_000];
const SHORT: [usize; 2] = [30, 60];

/// All combinations of these.
fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for piece in PIECES {
        for common in COMMON {
            for reach in REACHES {
                ways.extend(SHORT.map(|short| Way { piece, common, reach, short }));
            }
        }
    }
    ways
}

/// The module with its functions in the order in which it compresses best.
pub fn by_likeness(wasm: &[u8]) -> Result<Vec<u8>> {
    let (imported, bodies) = functions(wasm)?;
    let (ways, tried) = (ways(), AtomicUsize::new(0));
    let best_of_some = || -> Result<Option<Tried>> {
        let mut best: Option<Tried> = None;
        while let Some(way) = ways.get(tried.fetch_add(1, Ordering::Relaxed)) {
            let ordered = reordered(wasm, imported, order(&bodies, *way))?;
            let size = gzip(&ordered)?.len();
            best = best.into_iter().chain([(size, ordered)]).min();
        }
        Ok(best)
    };
    let mut best = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(best_of_some)).collect();
        for worker in workers {
            best.extend(worker.join().map_err(|_| anyhow!("an order couldn’t be tried"))??);
        }
        Ok(())
    })?;
    // Of equally small modules the first by its bytes, so that the result doesn't depend on the
    // threads.
    best.into_iter().min().map(|(_, wasm)| wasm).context("there is a way to order functions")
}

/// A module’s size, gzipped, and the module.
type Tried = (usize, Vec<u8>);

/// The module with its functions in this order. `imported` is how many functions are imported;
/// these stay in place.
fn reordered(wasm: &[u8], imported: u32, order: Vec<usize>) -> Result<Vec<u8>> {
    let mut renumber = Renumber { imported, places: vec![0; order.len()], order };
    for (place, function) in renumber.order.iter().enumerate() {
        renumber.places[*function] = u32::try_from(place)?;
    }
    let mut module = Module::new();
    renumber
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| anyhow!("the module can’t be written anew: {error}"))?;
    Ok(module.finish())
}

/// How many functions are imported, and the code of the others.
fn functions(wasm: &[u8]) -> Result<(u32, Vec<&[u8]>)> {
    let (mut imported, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("that is no wasm module")? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&wasm[body.range()]),
            _ => {}
        }
    }
    Ok((imported, bodies))
}

/// The numbers of the functions in their new order: each next function is the one that has most in
/// common, for its length, with those just before it.
fn order(bodies: &[&[u8]], way: Way) -> Vec<usize> {
    let pieces: Vec<Vec<&[u8]>> = bodies.iter().map(|body| pieces(body, way.piece)).collect();
    let mut holders: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (function, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            holders.entry(piece).or_default().push(function);
        }
    }
    holders.retain(|_, holders| (2..=way.common).contains(&holders.len()));
    // How many pieces of each function are within reach.
    let mut shared = vec![0_usize; bodies.len()];
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let (mut order, mut reach) = (Vec::new(), Reach { holders, times: HashMap::new(), functions: VecDeque::new() });
    while !left.is_empty() {
        let worth = |function: &usize| shared[*function] as f64 / (bodies[*function].len() + way.short) as f64;
        let nothing = left.iter().all(|function| shared[*function] == 0);
        let better = |one: &usize, other: &usize| match nothing {
            true => bodies[*one].len() > bodies[*other].len(),
            false => worth(one) > worth(other),
        };
        // The first of equal ones.
        let best = (1..left.len()).fold(0, |best, place| if better(&left[place], &left[best]) { place } else { best });
        let next = left.remove(best);
        order.push(next);
        reach.functions.push_back(next);
        reach.count(&pieces[next], true, |holder| shared[holder] += 1);
        while reach.functions.len() > 1 && reach.functions.iter().map(|of| bodies[*of].len()).sum::<usize>() > way.reach
        {
            let Some(gone) = reach.functions.pop_front() else { break };
            reach.count(&pieces[gone], false, |holder| shared[holder] -= 1);
        }
    }
    order
}

/// The functions placed last, within reach.
struct Reach<'a> {
    /// The functions that have a piece.
    holders: HashMap<&'a [u8], Vec<usize>>,
    /// How often a piece is within reach.
    times: HashMap<&'a [u8], u32>,
    functions: VecDeque<usize>,
}

impl<'a> Reach<'a> {
    /// Pieces come within reach or leave it. `changes` is called for each function that has a piece
    /// whose presence changes.
    fn count(&mut self, pieces: &[&'a [u8]], come: bool, mut changes: impl FnMut(usize)) {
        for piece in pieces {
            let Some(holders) = self.holders.get(piece) else { continue };
            let times = self.times.entry(piece).or_default();
            let without = if come { *times } else { *times - 1 };
            *times = if come { *times + 1 } else { without };
            if without == 0 {
                holders.iter().for_each(|holder| changes(*holder));
            }
        }
    }
}

/// The distinct pieces of a function.
fn pieces(body: &[u8], length: usize) -> Vec<&[u8]> {
    let mut pieces: Vec<&[u8]> = body.windows(length).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// Writes a module with its functions in another order.
struct Renumber {
    imported: u32,
    /// Which function is at each place.
    order: Vec<usize>,
    /// The place of each function.
    places: Vec<u32>,
}

impl Reencode for Renumber {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let own = function.checked_sub(self.imported).and_then(|own| self.places.get(own as usize));
        Ok(own.map_or(function, |place| self.imported + place))
    }

    /// What toolchains note down about a module, browsers don't read.
    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Result<(), Error<Infallible>> {
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for function in self.order.clone() {
            functions.function(self.type_index(types[function])?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for function in self.order.clone() {
            utils::parse_function_body(self, code, bodies[function].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_are_alike_come_together() {
        let (a, b): (Vec<u8>, Vec<u8>) = ((0..100).collect(), (100..200).collect());
        let with = |body: &[u8], end: u8| [body, &[end; 8]].concat();
        let bodies = [with(&a, 1), with(&b, 2), with(&a, 3), with(&b, 4)];
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        for way in ways() {
            assert_eq!(order(&bodies, way), [0, 2, 1, 3]);
            assert_eq!(order(&[], way), [0; 0]);
        }
    }

    /// `(module (import "m" "f" (func)) (func (result i32) i32.const 7) (func (export "e") (result
    /// i32) call 1))`, and another function that is longer than both.
    #[test]
    fn who_calls_whom_stays() {
        use wasm_encoder::{ExportKind, ExportSection, Function, ImportSection, TypeSection, ValType};
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([], [ValType::I32]);
        let mut imports = ImportSection::new();
        imports.import("m", "f", wasm_encoder::EntityType::Function(0));
        let mut functions = FunctionSection::new();
        [1, 1, 0].into_iter().for_each(|ty| _ = functions.function(ty));
        let mut exports = ExportSection::new();
        exports.export("e", ExportKind::Func, 2);
        let mut code = CodeSection::new();
        for instructions in [
            vec![wasm_encoder::Instruction::I32Const(7)],
            vec![wasm_encoder::Instruction::Call(1)],
            vec![wasm_encoder::Instruction::Call(0); 9],
        ] {
            let mut body = Function::new([]);
            instructions.iter().for_each(|instruction| _ = body.instruction(instruction));
            body.instruction(&wasm_encoder::Instruction::End);
            code.function(&body);
        }
        module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
        let before = module.finish();
        let after = by_likeness(&before).unwrap();
        wasmparser::validate(&after).unwrap();
        let (imported, bodies) = super::functions(&after).unwrap();
        // The longest comes first; the exported one calls the one that returns 7, which now follows
        // it.
        assert_eq!((imported, bodies[0].len()), (1, 20));
        let called = bodies.iter().position(|body| body.contains(&7)).unwrap();
        let caller = bodies.iter().position(|body| body.len() == 4 && body[1] == 0x10).unwrap();
        assert_eq!(usize::from(bodies[caller][2]), 1 + called);
    }
}
