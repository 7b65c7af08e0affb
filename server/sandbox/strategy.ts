/** How a thread's commands run: the best way that works here, and that this workspace allows. */
import { stat } from 'node:fs/promises';
import { unfitFilesystem } from './filesystems.ts';
import { findTools } from './host.ts';
import { type Finding, nextStep, type Rung, weakest } from './ladder.ts';
import { mountInside } from './mounts.ts';
import { foreignOwner } from './owners.ts';
import { probeLower, probeRung } from './probe.ts';
import type { Strategy } from './types.ts';

export type StrategyOptions = {
  /** Where copies are kept. */
  stateDir: string;
  /** The workspace, real path; absent: what this machine can do for any that has nothing special. */
  root?: string;
  /** The workspace's further folders, real paths. */
  others?: readonly string[];
  /** The user's own setting `sandbox.dangerouslyUnsandboxed`. */
  unsandboxed: boolean;
  signal?: AbortSignal;
  /** Only for a machine that is not this one. */
  toolFolders?: readonly string[];
};

const badLowerKeptMs = 10_000;
const stampsKeptMs = 5_000;
const rootsMax = 64;
const shownCharsMax = 200;

/** By state folder, tools and whether an overlay is ruled out: what works here. Where nothing does, it is tried again. */
const climbs = new Map<string, Promise<Strategy>>();
/** By state folder and workspace. */
const lowers = new Map<string, { finding: Promise<Finding>; goodUntilMs: number }>();

/**
 * Never rejects. Machine and tools are tried once, by a command for each way; the workspace is looked at each time,
 * which costs two short reads. A fired signal ends the waiting, not the probe.
 */
export async function chooseStrategy({ others = [], ...options }: StrategyOptions): Promise<Strategy> {
  const [first, ...further] = await Promise.all([
    chooseForFolder(options),
    ...others.map((root) => chooseForFolder({ ...options, root })),
  ]);
  return weakest(first, further);
}

async function chooseForFolder(options: Omit<StrategyOptions, 'others'>): Promise<Strategy> {
  const { stateDir, root, unsandboxed, signal, toolFolders } = options;
  if (unsandboxed || process.platform !== 'linux') return climb({ stateDir, unsandboxed });
  const forced = await forcedReason(stateDir, root, signal);
  const chosen = await climb({ stateDir, forced, toolFolders });
  if (chosen.kind !== 'overlay' || root === undefined || signal?.aborted) return chosen;
  const reason = await unfitLower({ stateDir, root, strategy: chosen, toolFolders });
  return reason === undefined ? chosen : climb({ stateDir, forced: reason, toolFolders });
}

/** Why no overlay can hold this workspace; the first reason of several. */
async function forcedReason(stateDir: string, root: string | undefined, signal?: AbortSignal) {
  const [filesystem, mount, foreign] = await Promise.all([
    unfitFilesystem(stateDir),
    root === undefined ? undefined : mountInside(root),
    root === undefined ? undefined : foreignOwner(root, { signal }),
  ]);
  if (filesystem !== undefined) {
    return `The state folder ${shown(stateDir)} lies on ${filesystem}, which can not hold the changes of an overlay.`;
  }
  if (mount !== undefined) {
    return `Another file system is mounted inside the workspace, at ${shown(mount)}, and an overlay would not show it.`;
  }
  if (foreign === undefined) return undefined;
  return foreign === ''
    ? 'The workspace belongs to another user or group, whose files could not be written through an overlay.'
    : `${shown(foreign)} belongs to another user or group than the workspace, and could not be written through an overlay.`;
}

/** The machine's part. `forced` is the reason of a copy, and changes nothing else: with and without are known apart. */
async function climb(options: {
  stateDir: string;
  unsandboxed?: boolean;
  forced?: string;
  toolFolders?: readonly string[];
}): Promise<Strategy> {
  const { stateDir, unsandboxed = false, forced, toolFolders } = options;
  const key = JSON.stringify([stateDir, unsandboxed, forced !== undefined, await toolStamps(toolFolders)]);
  const climbing = climbs.get(key) ?? tryAll({ stateDir, unsandboxed, forced, toolFolders });
  climbs.set(key, climbing);
  const strategy = await climbing;
  // What was missing may be installed or switched on meanwhile.
  if (strategy.kind === 'none') climbs.delete(key);
  return strategy.kind === 'copy' && forced !== undefined ? { kind: 'copy', reason: forced } : strategy;
}

async function tryAll(options: {
  stateDir: string;
  unsandboxed: boolean;
  forced?: string;
  toolFolders?: readonly string[];
}): Promise<Strategy> {
  const { stateDir, unsandboxed, forced, toolFolders } = options;
  const tried: Partial<Record<Rung, Finding>> = {};
  for (;;) {
    const step = nextStep({ platform: process.platform, unsandboxed, forced, tried });
    if ('choose' in step) return step.choose;
    // Each rung is asked for once, so this ends.
    tried[step.probe] = await probeRung(stateDir, step.probe, toolFolders);
  }
}

let stamped: { stamps: unknown; goodUntilMs: number } | undefined;

/** What `unshare` and bubblewrap are: a new version of them is tried anew, some seconds after it has come. */
async function toolStamps(toolFolders?: readonly string[]): Promise<unknown> {
  if (process.platform !== 'linux') return undefined;
  if (toolFolders === undefined && stamped && stamped.goodUntilMs > performance.now()) return stamped.stamps;
  const tools = await findTools(toolFolders);
  if ('missing' in tools) return tools.missing;
  const stamps = await stampsOf([tools.bwrap, tools.unshare, tools.mount]);
  if (toolFolders === undefined) stamped = { stamps, goodUntilMs: performance.now() + stampsKeptMs };
  return stamps;
}

const stampsOf = (paths: readonly string[]) =>
  Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return [path, found?.size, found?.mtimeMs];
    }),
  );

/** A file system of its own is tried as a lower layer by itself: some take none over them. */
async function unfitLower(options: Parameters<typeof probeLower>[0]): Promise<string | undefined> {
  const { stateDir, root, strategy } = options;
  const [there, here] = await Promise.all([root, stateDir].map((path) => stat(path).catch(() => undefined)));
  if (there === undefined || there.dev === here?.dev) return undefined;
  const key = JSON.stringify([stateDir, root, there.dev, strategy]);
  const known = lowers.get(key);
  const probing =
    known && known.goodUntilMs > performance.now()
      ? known
      : { finding: probeLower(options), goodUntilMs: Number.POSITIVE_INFINITY };
  lowers.set(key, probing);
  const [oldest] = lowers.keys();
  if (lowers.size > rootsMax && oldest !== undefined) lowers.delete(oldest);
  const finding = await probing.finding;
  if (finding.works) return undefined;
  if (probing.goodUntilMs === Number.POSITIVE_INFINITY) probing.goodUntilMs = performance.now() + badLowerKeptMs;
  return `No overlay can be laid over the file system of the workspace. ${finding.reason}`;
}

/** A name of the workspace, in a sentence of ours. */
function shown(path: string): string {
  const plain = path.replace(/\p{Cc}/gu, '\ufffd');
  return plain.length > shownCharsMax ? `${plain.slice(0, shownCharsMax)}…` : plain;
}
