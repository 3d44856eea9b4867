// How fast the lab hunts beside the native command: `node bench/lab/run.js [SEEDS]`, from the
// repository's root, after `cargo xtask build` and `cargo build --release -p raftarium`. Both play
// the same seeds on one processor, in turn, three times; prints the CPU time of each and the ratio
// of the best. In the page the same module runs in a worker (page-tests/lab.spec.js prints its
// speed there).
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { Hunt, initSync } from '../../www/pkg/raft_lab.js';

/** The native command; `RAFTARIUM_COMMAND` names another. */
const command = process.env.RAFTARIUM_COMMAND ?? 'target/release/raftarium';
const seeds = Number(process.argv[2] ?? 50);
const name = readdirSync('dist').find((file) => /^raft_lab_bg-.*\.wasm$/.test(file));
initSync({ module: readFileSync(`dist/${name}`) });
const hunt = new Hunt(0, 60e6, 'full', '');

/** CPU time, in seconds, and events. */
function inModule() {
  const before = process.cpuUsage();
  let events = 0;
  for (let seed = 0; seed < seeds; seed++) {
    hunt.begin(String(seed));
    let trial;
    while (!trial) trial = hunt.playOn();
    if (trial.finding) throw new Error(`seed ${seed}: ${trial.finding.sentence}`);
    events += trial.events;
  }
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, events };
}

/**
 * The same of the command. Its own clock is the wall's; with one job that is CPU time and waiting.
 */
function native() {
  const hunting = ['hunt', '--seeds', `0..${seeds}`, '--jobs', '1', '--json'];
  const script =
    'import resource,subprocess,sys\nout=subprocess.run(sys.argv[1:],capture_output=True,check=True)' +
    '.stdout.decode()\nspent=resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(spent.ru_utime+spent.ru_stime)\nprint(out)';
  const text = execFileSync('python3', ['-c', script, command, ...hunting]).toString();
  const [seconds, ...json] = text.split('\n');
  return { seconds: Number(seconds), events: JSON.parse(json.join('\n')).events };
}

inModule();
const best = { module: Infinity, native: Infinity };
for (let turn = 0; turn < 3; turn++) {
  const [lab, other] = [inModule(), native()];
  if (lab.events !== other.events) throw new Error(`${lab.events} events here, ${other.events} natively`);
  best.module = Math.min(best.module, lab.seconds);
  best.native = Math.min(best.native, other.seconds);
  console.log(
    `${seeds} seeds, ${lab.events} events: lab ${lab.seconds.toFixed(2)} s, native ${other.seconds.toFixed(2)} s`,
  );
}
console.log(`the lab has ${(best.native / best.module).toFixed(2)} of native speed`);
