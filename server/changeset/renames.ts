/** Finds by content which of the agent's deletions and creations are one file that moved. */
import { absent, type FileState } from './file-state.ts';
import { splitLines } from './lines.ts';
import type { CopyChange } from './review-types.ts';

/** One file of a review before its hunks are known. `from`, `userPath`: as in `ReviewFile`. */
export type PairedChange = CopyChange & { from?: string; userPath: string; user: FileState };

const similarityMin = 0.5;
/** Beyond this many lines to compare, only files moved without any change are found. */
const comparedLinesMax = 500_000;

/** The changes with renames as one. Where the user has files at both ends, a rename stays a deletion and a creation. */
export function pairRenames(changes: readonly CopyChange[], user: ReadonlyMap<string, FileState>): PairedChange[] {
  const at = (path: string): FileState => user.get(path) ?? absent;
  const moved = new Map<CopyChange, CopyChange>();
  for (const [from, to] of renames(changes)) {
    if (at(from.path).kind === 'absent' || at(to.path).kind === 'absent') moved.set(to, from);
  }
  const sources = new Set(moved.values());
  return changes
    .filter((change) => !sources.has(change))
    .map((change) => {
      const from = moved.get(change);
      if (!from) return { ...change, userPath: change.path, user: at(change.path) };
      const userPath = at(change.path).kind === 'absent' ? from.path : change.path;
      return { path: change.path, from: from.path, userPath, base: from.base, agent: change.agent, user: at(userPath) };
    });
}

type Pair = readonly [from: CopyChange, to: CopyChange];

function renames(changes: readonly CopyChange[]): Pair[] {
  const gone = changes.filter(({ base, agent }) => base !== 'unknown' && agent.kind === 'absent' && isContent(base));
  const come = changes.filter(({ base, agent }) => base !== 'unknown' && base.kind === 'absent' && isContent(agent));
  const exact = candidates(gone, come, (a, b) => (sameContent(a, b) ? 1 : 0));
  const pairs = unique(exact);
  const taken = new Set(pairs.flat());
  const goneLeft = gone.filter((change) => !taken.has(change) && isText(change.base));
  const comeLeft = come.filter((change) => !taken.has(change) && isText(change.agent));
  return [...pairs, ...unique(candidates(goneLeft, comeLeft, similarityOf(goneLeft, comeLeft)))];
}

const isText = (state: FileState | 'unknown'): boolean => state !== 'unknown' && state.kind === 'text';

/** Something that can be told apart from other files: an empty file can't. */
const isContent = (state: FileState): boolean =>
  state.kind === 'text' ? state.text !== '' : state.kind === 'binary' || state.kind === 'symlink';

/** Of two states of one kind, whatever their modes. */
function sameContent(a: FileState, b: FileState): boolean {
  if (a.kind === 'text') return b.kind === 'text' && a.text === b.text;
  if (a.kind === 'binary') return b.kind === 'binary' && a.hash === b.hash;
  return a.kind === 'symlink' && b.kind === 'symlink' && a.target === b.target;
}

type Candidate = { pair: Pair; similarity: number; sameName: boolean };

function candidates(
  gone: readonly CopyChange[],
  come: readonly CopyChange[],
  similarity: (base: FileState, agent: FileState) => number,
): Candidate[] {
  const found: Candidate[] = [];
  for (const from of gone) {
    if (from.base === 'unknown') continue;
    for (const to of come) {
      const score = similarity(from.base, to.agent);
      if (score < similarityMin) continue;
      found.push({ pair: [from, to], similarity: score, sameName: nameOf(from.path) === nameOf(to.path) });
    }
  }
  return found;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The best pairs, each file in at most one. */
function unique(found: Candidate[]): Pair[] {
  found.sort((a, b) => b.similarity - a.similarity || Number(b.sameName) - Number(a.sameName));
  const taken = new Set<CopyChange>();
  return found.flatMap(({ pair }) => {
    if (taken.has(pair[0]) || taken.has(pair[1])) return [];
    taken.add(pair[0]).add(pair[1]);
    return [pair];
  });
}

/** The share of equal lines, wherever they stand, of the longer file's lines. */
function similarityOf(gone: readonly CopyChange[], come: readonly CopyChange[]) {
  const counted = new Map<FileState, Counted>();
  const count = (state: FileState): Counted => {
    const known = counted.get(state) ?? countLines(state);
    counted.set(state, known);
    return known;
  };
  const lines = (states: readonly (FileState | 'unknown')[]): number =>
    states.reduce((sum, state) => sum + (state === 'unknown' ? 0 : count(state).total), 0);
  const work = lines(gone.map(({ base }) => base)) * come.length + lines(come.map(({ agent }) => agent)) * gone.length;
  return (base: FileState, agent: FileState): number =>
    work > comparedLinesMax * 2 ? 0 : similarity(count(base), count(agent));
}

type Counted = { total: number; times: ReadonlyMap<string, number> };

function countLines(state: FileState): Counted {
  const times = new Map<string, number>();
  const lines = state.kind === 'text' ? splitLines(state.text) : [];
  for (const line of lines) times.set(line, (times.get(line) ?? 0) + 1);
  return { total: lines.length, times };
}

function similarity(a: Counted, b: Counted): number {
  const longer = Math.max(a.total, b.total);
  if (Math.min(a.total, b.total) < longer * similarityMin) return 0;
  let equal = 0;
  for (const [line, times] of a.times) equal += Math.min(times, b.times.get(line) ?? 0);
  return equal / longer;
}
