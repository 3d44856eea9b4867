// Runs our simulator in Node: `node run.js MODULE simulate SECONDS` or `node run.js MODULE seek
// SECONDS JOURNEY`. Prints one line of JSON.
import { readFile } from 'node:fs/promises';

const [file, command, ...numbers] = process.argv.slice(2);
const [seconds, journey] = numbers.map(Number);
const { instance } = await WebAssembly.instantiate(await readFile(file), {});
const { simulate, trace_hash: traceHash, prepare, seek, longest_gap: longestGap } = instance.exports;
const { checkpoint_bytes: checkpointBytes } = instance.exports;

/** CPU time of this process, in seconds. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

if (command === 'simulate') {
  // Warm up: the engine optimises code that has run for a while, in another thread.
  for (let turn = 0; turn < 5; turn += 1) simulate(60);
  const before = cpuSeconds();
  const events = simulate(seconds);
  const spent = cpuSeconds() - before;
  const hash = BigInt.asUintN(64, traceHash()).toString();
  console.log(JSON.stringify({ cpu_seconds: spent, events, trace_hash: hash }));
} else if (command === 'seek') {
  prepare(journey, seconds);
  const targets = [];
  let state = 7n;
  for (let turn = 0; turn < 1_000; turn += 1) {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    targets.push(Number((state >> 24n) % BigInt(seconds * 1_000_000)));
  }
  // Measure all seeks three times, and take the fastest of each: the others only show other load on
  // the machine.
  const quickest = new Array(targets.length).fill(Infinity);
  for (let round = 0; round < 3; round += 1) {
    targets.forEach((target, turn) => {
      const start = performance.now();
      if (seek(target) < 0) throw new Error('there is no run to travel through');
      quickest[turn] = Math.min(quickest[turn], performance.now() - start);
    });
  }
  quickest.sort((a, b) => a - b);
  const at = (share) => quickest[Math.floor((quickest.length - 1) * share)];
  const held = { longest_gap: longestGap(), checkpoint_bytes: checkpointBytes() };
  console.log(JSON.stringify({ median_millis: at(0.5), p99_millis: at(0.99), max_millis: at(1), ...held }));
} else {
  throw new Error(`there is no command “${command}”`);
}
