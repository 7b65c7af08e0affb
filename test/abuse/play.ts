/** Plays a case, in the sandbox or (as its control) without, and gathers what can be seen afterwards. */
import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gitMode } from '../../server/changeset/file-state.ts';
import type { CopyChange } from '../../server/changeset/review-types.ts';
import { sensitiveReason } from '../../server/changeset/sensitive.ts';
import { processesAround } from '../sandbox/processes.ts';
import { bash, marker, type Outcome, policy, type Scenario, treeOf, writeFiles } from '../sandbox/scenario.ts';
import { isRoot, ordinaryId, startPlayer } from '../sandbox/users.ts';
import type { Case, Seen } from './types.ts';
import { makeWorld, type World } from './world.ts';

const endMarker = 'END-4711';
const timeoutMs = 10_000;
const controlTimeoutMs = 8_000;

const files = {
  'a.txt': 'one\n',
  'src/a.ts': 'hello\n',
  'src/deep/b.ts': 'b\n',
  '.gitignore': 'node_modules/\n',
};
const git =
  'git init -q . && git add -A && git -c maintenance.auto=false -c user.name=a -c user.email=a@b commit -qm first';
const setupOf = (one: Case) => [git, one.setup ?? ''].join('\n');

const shellsOf = ({ shell }: Case): readonly string[] => (typeof shell === 'string' ? [shell] : shell);

/** Small enough that a case that reaches one of them costs seconds. */
const casePolicy = {
  ...policy,
  processesMax: 100,
  memoryBytesMax: 512 * 1024 ** 2,
  diskBytesMax: 200 * 1024 ** 2,
};

/** In the sandbox. Throws where a command did not run, or not to its end: that proves nothing. */
export async function playCase(one: Case, options: { asRoot: boolean; cgroups: readonly string[] }): Promise<Seen> {
  await using world = await makeWorld(options);
  const before = world.observe();
  const scenario = scenarioOf(one, world);
  const { text } = startPlayer(scenario, { ...options, environment: world.environment });
  const outcome: Outcome = JSON.parse(await text);
  const outputs = outcome.results.map((result, index) => {
    if (result.kind !== 'ran') throw new Error(`it did not run: ${result.reason} ${result.remedy}`);
    const isLast = index === outcome.results.length - 1;
    return between(result.output, one.ends === 'killed' && isLast);
  });
  const result = outcome.results.at(-1);
  const ran = result?.kind === 'ran' ? result : undefined;
  return {
    outputs,
    result: ran,
    limit: ran?.limit,
    durationMs: ran?.durationMs ?? 0,
    workspace: { before: outcome.before, after: outcome.after },
    world: { before, after: world.observe() },
    alive: outcome.alive,
    upper: outcome.upper,
    // With the names of the table, not of this world.
    changes: outcome.changes.map((change) => world.unfill(shown(change))),
    problems: outcome.problems,
  };
}

function scenarioOf(one: Case, world: World): Scenario {
  const shells = shellsOf(one);
  return {
    files,
    setup: world.fill(setupOf(one)),
    parent: world.projects,
    watchFor: world.id,
    environment: { ...world.environment, ABUSE_WORLD: world.id },
    steps: shells.map((shell, index) => ({
      command: one.ends === 'killed' && index === shells.length - 1 ? world.fill(shell) : ending(world.fill(shell)),
      timeoutMs: one.timeoutMs ?? timeoutMs,
      outputBytesMax: one.outputBytesMax ?? 200_000,
      // What a command leaves behind is known by this, also where it has another name by then.
      policy: { ...casePolicy, ...one.policy, env: ['ABUSE_WORLD', ...(one.policy?.env ?? [])] },
    })),
  };
}

const ending = (shell: string): string => `${shell}\necho ${endMarker}`;

/** The output without its marks. */
function between(output: string, endsEarly: boolean): string {
  if (!output.startsWith(`${marker}\n`)) throw new Error(`it did not start: ${output.slice(0, 1000)}`);
  if (!endsEarly && !output.includes(endMarker))
    throw new Error(`it did not come to its end: ${output.slice(0, 1000)}`);
  if (/command not found/.test(output)) throw new Error(`a program is missing: ${output.slice(0, 1000)}`);
  return output.slice(marker.length + 1).replaceAll(`${endMarker}\n`, '');
}

function shown({ path, base, agent }: CopyChange): string {
  const reason = sensitiveReason(path, base, agent);
  const why = reason === undefined ? '' : ` (${reason})`;
  if (agent.kind === 'symlink') return `${path} -> ${agent.target}${why}`;
  if (agent.kind !== 'text' && agent.kind !== 'binary') return `${path} ${agent.kind}${why}`;
  // A bit beyond those of permission would show.
  const mode = agent.mode > 0o777 ? agent.mode : gitMode(agent.mode);
  return `${path} ${agent.kind} ${mode.toString(8)}${why}`;
}

/** Without a sandbox, always as an ordinary user, in a world of its own. */
export async function playControl(one: Case): Promise<Seen> {
  await using world = await makeWorld({ asRoot: false });
  const root = join(world.projects, 'codex-lsp-control');
  mkdirSync(root);
  writeFiles(root, files);
  bash(root, world.fill(setupOf(one)));
  if (isRoot) bash(root, `chown -R ${ordinaryId}:${ordinaryId} .`);
  if (isRoot) chownSync(root, ordinaryId, ordinaryId);
  const before = { workspace: treeOf(root), world: world.observe() };
  const shells = typeof one.control === 'object' ? [one.control.shell] : shellsOf(one);
  const outputs: string[] = [];
  const startedAt = performance.now();
  for (const shell of shells) outputs.push(await runOutside(ending(world.fill(shell)), one.control, root, world));
  const durationMs = performance.now() - startedAt;
  const alive = processesAround(world.id);
  for (const line of alive) kill(Number.parseInt(line, 10));
  return {
    outputs: outputs.map((output) => between(output, one.ends === 'killed')),
    result: undefined,
    limit: undefined,
    durationMs,
    workspace: { before: before.workspace, after: existsSync(root) ? treeOf(root) : {} },
    world: { before: before.world, after: world.observe() },
    alive,
    upper: bytesIn(root),
    changes: [],
    problems: [],
  };
}

/** Of all processes in the namespaces, the first one's end is the end of all. */
const namespaces = [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  '--uts',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

async function runOutside(shell: string, control: Case['control'], root: string, world: World): Promise<string> {
  const asUser = isRoot ? ['setpriv', `--reuid=${ordinaryId}`, `--regid=${ordinaryId}`, '--clear-groups', '--'] : [];
  const [program = '', ...args] = [
    ...asUser,
    ...(control === 'namespace' ? namespaces : []),
    ...['/bin/bash', '-c', `echo ${marker}; ${shell}`],
  ];
  const child = spawn(program, args, {
    cwd: root,
    env: { ...world.environment, ABUSE_WORLD: world.id },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      if (output.length < 1_000_000) output += chunk;
    });
  }
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const late = new AbortController();
  await Promise.race([exited, delay(controlTimeoutMs, undefined, { signal: late.signal }).catch(() => {})]);
  late.abort();
  if (child.exitCode === null && child.signalCode === null && child.pid) kill(-child.pid);
  // Who was left behind may hold the output open.
  await Promise.race([closed, delay(100)]);
  return output;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function bytesIn(folder: string): { bytes: number; entries: number } {
  if (!existsSync(folder)) return { bytes: 0, entries: 0 };
  const [bytes = 0, entries = 0] = bash(folder, 'du -sB1 . | cut -f1; find . | wc -l').split('\n').map(Number);
  return { bytes, entries };
}
