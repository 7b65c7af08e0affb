/**
 * Commands over a copy, played as whoever runs this: in the test's own process, or (as a program: a scenario in, what
 * came of it out, both JSON) as another user.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { CopyChange } from '../../server/changeset/review-types.ts';
import { runInSandbox } from '../../server/sandbox/run.ts';
import { chooseStrategy } from '../../server/sandbox/strategy.ts';
import type { CommandRequest, CommandResult, CopyTree, SandboxPolicy, Strategy } from '../../server/sandbox/types.ts';
import { usedBy } from '../../server/sandbox/upper-use.ts';
import { Copy } from '../../server/workspace/copy.ts';
import type { ThreadCopy } from '../../server/workspace/thread-copy.ts';
import { processesAround } from './processes.ts';
import { type StandIn, standIn } from './stand-in.ts';

export const policy: SandboxPolicy = {
  mode: 'workspace',
  network: 'off',
  readableRoots: [],
  sockets: [],
  env: [],
  processesMax: 512,
  memoryBytesMax: 4 * 1024 ** 3,
  diskBytesMax: 2 * 1024 ** 3,
};

export type Scenario = {
  /** Written to the workspace before anything else. */
  files?: Record<string, string>;
  /** Run there by bash, outside the sandbox: the user's own doing. */
  setup?: string;
  steps: {
    command: string;
    buffers?: Record<string, string>;
    policy?: Partial<SandboxPolicy>;
    timeoutMs?: number;
    /** Cancelled when this has been written. */
    cancelAt?: string;
    outputBytesMax?: number;
    /** Relative to the workspace. */
    cwd?: string;
    /** Before the command, by the user. */
    meanwhile?: string;
    hidden?: string[];
    /** Before the command, by the agent's own tools. */
    deletes?: string[];

    /** In the whole copy at its own path, with nothing that keeps the command in. */
    inTree?: boolean;
  }[];
  strategy?: Strategy;
  /** The strategy is the one that is chosen with these tools and this workspace; it is in the outcome. */
  chooses?: boolean;
  /** Of a machine that has other tools. */
  toolFolders?: string[];
  /** Folders of the workspace that are no part of the tree, where the strategy is a whole copy. */
  linked?: string[];
  environment?: Record<string, string>;
  internet?: StandIn;

  /** Commands run without a sandbox, in a plain copy; their changes are not looked for. */
  unsandboxed?: boolean;
  /** Where the workspace lies; default a temporary folder. */
  parent?: string;
  /** Part of the workspace's path: whoever has it in a mount, its arguments or its environment belongs to a command. */
  watchFor?: string;

  /** Secrets that commands may read. */
  allowed?: string[];
  /** In the end the copy is forked, and this runs in the second one. */
  forkThen?: string;
  /** A text that is looked for in everything that the copy has on disk. */
  secret?: string;
};

export type Outcome = {
  root: string;
  results: CommandResult[];
  chosen?: Strategy;
  changes: CopyChange[];
  /** The user's workspace, by path: what each file holds, before and after. */
  before: Record<string, string>;
  after: Record<string, string>;
  /** What the looks at the copy could not say, as sentences. */
  problems: string[];
  /** What `watchFor` found alive, or mounted, when the last command had been answered. */
  alive: string[];
  /** What the copy's upper layer held then. */
  upper: { bytes: number; entries: number };
  /** Where a strategy was named: what the copy's own folder holds in the end, the upper layer or the tree. */
  copy?: Record<string, string>;
  /** The git folder outside the workspace in the end, and what lies over it. */
  beside?: { user: Record<string, string>; copy: Record<string, string> };

  /** Where it was forked: what the last command said in each copy, and what the second has changed. */
  forked?: { said: [string, string]; changes: CopyChange[]; problems: string[] };

  /** Files of the copy's folder that hold the secret; its upper layer is in there. */
  leaks: string[];
};

export const marker = 'RAN-4711';

export async function play(scenario: Scenario): Promise<Outcome> {
  await using place = makePlace(scenario.parent);
  const { root } = place;
  writeFiles(root, scenario.files ?? {});
  if (scenario.setup) bash(root, scenario.setup);
  const before = treeOf(root);
  const copy = await Copy.open({ dir: place.dir, root });
  const { toolFolders } = scenario;
  const stateDir = dirname(place.dir);
  const chosen = scenario.chooses
    ? await chooseStrategy({ stateDir, root, unsandboxed: false, toolFolders })
    : undefined;
  const strategy = chosen ?? scenario.strategy;
  const isTree = strategy?.kind === 'copy' || scenario.unsandboxed;
  const tree = isTree ? await makeTree(place, scenario.linked ?? []) : undefined;
  const [beside] = copy.layers.beside ?? [];
  if (scenario.allowed) await copy.prepare(new Map(), scenario.allowed);
  const results: CommandResult[] = [];
  const problems: string[] = [];
  for (const step of scenario.steps) {
    if (step.meanwhile) bash(root, step.meanwhile);
    await copy.write((step.deletes ?? []).map((path) => ({ path, state: { kind: 'absent' } })));
    const cancel = new AbortController();
    results.push(
      await (step.inTree ? runInTree : runOver)(copy, {
        cwd: join(root, step.cwd ?? ''),
        outputBytesMax: step.outputBytesMax ?? 100_000,
        signal: cancel.signal,
        onOutput: (text) => {
          if (step.cancelAt !== undefined && text.includes(step.cancelAt)) cancel.abort();
        },
        command: `echo ${marker}; ${step.command}`,
        buffers: new Map(Object.entries(step.buffers ?? {})),
        policy: { ...policy, ...step.policy },
        timeoutMs: step.timeoutMs,
        environment: scenario.environment ?? process.env,
        ...(scenario.internet ? { internet: standIn(scenario.internet) } : {}),
        onProblems: (found) => problems.push(...found),
        strategy: scenario.unsandboxed ? { kind: 'unsandboxed' } : strategy,
        toolFolders,
        hidden: step.hidden,
        tree,
      }),
    );
  }
  const alive = scenario.watchFor === undefined ? [] : processesAround(scenario.watchFor);
  const forked = scenario.forkThen === undefined ? undefined : await forkAndRun(copy, place.dir, scenario.forkThen);
  const upper = await usedBy([copy.layers.upper], { bytesMax: Infinity, entriesMax: Infinity });
  const leaks = scenario.secret === undefined ? [] : filesWith(place.dir, scenario.secret);
  return {
    ...{ root, results, chosen, changes: copy.changes(), before, after: treeOf(root), problems, alive, upper, leaks },
    copy: strategy ? treeOf(tree?.path ?? copy.layers.upper) : undefined,
    forked,
    beside: beside && { user: treeOf(beside.root), copy: treeOf(beside.upper) },
  };
}

async function forkAndRun(first: Copy, dir: string, command: string): Promise<Outcome['forked']> {
  const problems = await first.forkInto(`${dir}-fork`);
  const second = await Copy.open({ dir: `${dir}-fork`, root: first.root });
  const changes = second.changes();
  const run = async (copy: Copy): Promise<string> => {
    const result = await runOver(copy, { command });
    return result.kind === 'ran' ? result.output : result.reason;
  };
  const said: [string, string] = [await run(first), await run(second)];
  await second.remove();
  return { said, changes, problems };
}

/** A whole copy without the linked folders, which are mount points in it. */
async function makeTree({ root, dir }: { root: string; dir: string }, links: string[]): Promise<CopyTree> {
  const path = join(dir, 'tree');
  bash(root, `cp -a . '${path}'; cd '${path}'; for l in ${links.join(' ')}; do rm -rf "$l"; mkdir "$l"; done`);
  return { path, links, held: await usedBy(path, { bytesMax: Infinity, entriesMax: Infinity }) };
}

const filesWith = (folder: string, text: string): string[] =>
  bash(folder, `shopt -s nullglob; chmod -R u+rwX work git-*/work; grep -rlF --devices=skip -e '${text}' . || true`)
    .split('\n')
    .slice(0, -1);

/** Refresh, run, scan: as a turn does. */
export async function runOver(
  copy: ThreadCopy,
  options: Partial<CommandRequest> & {
    command: string;
    buffers?: ReadonlyMap<string, string>;
    onProblems?: (problems: string[]) => void;

    toolFolders?: readonly string[];
  },
): Promise<CommandResult> {
  await copy.refresh(options.buffers ?? new Map());
  const startedAtMs = Date.now();
  // What lies beside the workspace or its first folder is in a tree of its own, which nothing but the copy can make.
  const { beside, others } = copy.layers;
  const isWhole = options.tree !== undefined && (beside ?? others) !== undefined;
  const made = isWhole ? { tree: await copy.materialize() } : {};
  const request: CommandRequest = {
    layers: copy.layers,
    policy,
    environment: process.env,
    cwd: copy.layers.root,
    outputBytesMax: 100_000,
    signal: new AbortController().signal,
    ...options,
    ...made,
    timeoutMs: options.timeoutMs ?? 20_000,
    inspect: async (merged, mergedAt) => {
      if (options.tree === undefined) {
        const { problems } = await copy.scan({ startedAtMs, merged, mergedAt });
        options.onProblems?.(problems);
      }
      await options.inspect?.(merged, mergedAt);
    },
  };
  const result = await runInSandbox(request, options.toolFolders);
  if (isWhole) await copy.absorb();
  if (others !== undefined && options.tree !== undefined) await copy.scan({ startedAtMs });
  return result;
}

/** Refresh, materialize, run, absorb, scan: the same where the copy is a tree. Of the policy nothing holds. */
export async function runInTree(
  copy: Copy,
  options: { command: string; buffers?: ReadonlyMap<string, string>; cwd?: string },
): Promise<CommandResult> {
  await copy.refresh(options.buffers ?? new Map());
  const startedAtMs = Date.now();
  const { path } = await copy.materialize();
  const cwd = join(path, relative(copy.layers.root, options.cwd ?? copy.layers.root));
  const output = execFileSync('/bin/bash', ['-c', `exec 2>&1; ${options.command}\ntrue`], { cwd, encoding: 'utf8' });
  await copy.absorb();
  await copy.scan({ startedAtMs });
  return { kind: 'ran', status: 'completed', output, outputBytes: output.length, durationMs: Date.now() - startedAtMs };
}

/** A workspace and a folder for its copy, both gone afterwards. */
export function makePlace(parent = tmpdir()): { root: string; dir: string } & AsyncDisposable {
  const place = mkdtempSync(join(parent, 'codex-lsp-test-'));
  const root = join(place, 'workspace');
  mkdirSync(root);
  return {
    root,
    dir: join(place, 'state', 'copy'),
    async [Symbol.asyncDispose]() {
      const copy = await Copy.open({ dir: join(place, 'state', 'copy'), root });
      await copy.remove();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

export function writeFiles(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

export const bash = (cwd: string, command: string): string =>
  execFileSync('/bin/bash', ['-ec', command], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Everything below a folder, `.git` too: hash of what a file holds with its mode, or where a link leads. */
export function treeOf(root: string): Record<string, string> {
  const tree: Record<string, string> = {};
  // Names need not be UTF-8: one character for each byte. No link is followed.
  const place = (inside: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(inside, 'latin1')]);
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of readdirSync(place(folder), 'latin1')) {
      const inside = folder === '' ? name : `${folder}/${name}`;
      const path = place(inside);
      const status = lstatSync(path);
      if (status.isDirectory()) folders.push(inside);
      else if (status.isSymbolicLink()) tree[inside] = `-> ${readlinkSync(path)}`;
      else if (status.isFile()) tree[inside] = `${holds(path, status.size)} ${(status.mode & 0o7777).toString(8)}`;
      else tree[inside] = 'special';
    }
  }
  return tree;
}

const hashedBytesMax = 20_000_000;

const holds = (path: Buffer, size: number): string =>
  size > hashedBytesMax ? `${size} bytes` : createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);

if (process.argv[1] === import.meta.filename) {
  const scenario: Scenario = JSON.parse(readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(await play(scenario)));
}
