/** Finds by content which of the agent's deletions and creations are one file that moved. */
import { absent, type FileState } from './file-state.ts';
import { wholeId } from './hunk-id.ts';
import { splitLines } from './lines.ts';
import type { CopyChange, Decisions } from './review-types.ts';
import { countLines } from './too-large.ts';

/** One file of a review before its hunks are known. `from`, `userPath`: as in `ReviewFile`. */
export type PairedChange = CopyChange & { from?: string; userPath: string; user: FileState };

const similarityMin = 0.5;
/** Lines compared with lines at most; beyond, only files that moved without any change are found. */
const comparedLinesMax = 1_000_000;

type Pair = readonly [from: CopyChange, to: CopyChange];

export type Renames = { changes: readonly CopyChange[]; pairs: readonly Pair[] };

/**
 * The changes with renames as one. Where the user has files at both ends, a rename stays a deletion and a creation; also
 * when one of the two was decided, and one end is free by it.
 */
export function pairRenames(
  { changes, pairs }: Renames,
  user: ReadonlyMap<string, FileState>,
  decisions: Decisions,
): PairedChange[] {
  const at = (path: string): FileState => user.get(path) ?? absent;
  const moved = new Map<CopyChange, CopyChange>();
  for (const [from, to] of pairs) {
    if (isDecided(from, decisions) || isDecided(to, decisions)) continue;
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

const isDecided = ({ path, base, agent }: CopyChange, decisions: Decisions): boolean =>
  base !== 'unknown' && decisions.get(wholeId(path, base, agent)) !== undefined;

/** Which of the changes are one file that moved; depends on nothing the user does. */
export function findRenames(changes: readonly CopyChange[]): Renames {
  const gone = changes.filter(({ base, agent }) => agent.kind === 'absent' && contentKey(base) !== undefined);
  const come = changes.filter(({ base, agent }) => isAbsent(base) && contentKey(agent) !== undefined);
  const named = samePairs(gone, come, (state, path) => `${nameOf(path)}\0${contentKey(state)}`);
  const [goneStill, comeStill] = [without(gone, named), without(come, named)];
  const same = samePairs(goneStill, comeStill, (state) => contentKey(state) ?? '');
  const edited = similarPairs(
    without(goneStill, same).filter(hadText),
    without(comeStill, same).filter(({ agent }) => agent.kind === 'text'),
  );
  return { changes, pairs: [...named, ...same, ...edited] };
}

function without(changes: readonly CopyChange[], pairs: readonly Pair[]): CopyChange[] {
  const taken = new Set(pairs.flat());
  return changes.filter((change) => !taken.has(change));
}

const isAbsent = (state: FileState | 'unknown'): boolean => state !== 'unknown' && state.kind === 'absent';
const hadText = ({ base }: CopyChange): boolean => base !== 'unknown' && base.kind === 'text';
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** What tells a file from others, whatever its mode; nothing tells an empty one. */
function contentKey(state: FileState | 'unknown'): string | undefined {
  if (state === 'unknown') return undefined;
  if (state.kind === 'text') return state.text === '' ? undefined : `text ${state.text}`;
  if (state.kind === 'binary') return `binary ${state.hash}`;
  return state.kind === 'symlink' ? `link ${state.target}` : undefined;
}

/** Files of one key, in their order. */
function samePairs(
  gone: readonly CopyChange[],
  come: readonly CopyChange[],
  key: (state: FileState | 'unknown', path: string) => string,
): Pair[] {
  const waiting = Map.groupBy(gone, ({ base, path }) => key(base, path));
  for (const list of waiting.values()) list.reverse();
  return come.flatMap((to) => {
    const from = waiting.get(key(to.agent, to.path))?.pop();
    return from ? [[from, to] as const] : [];
  });
}

type Candidate = { pair: Pair; similarity: number; sameName: boolean };

/** The most alike first, each file in at most one pair. */
function similarPairs(gone: readonly CopyChange[], come: readonly CopyChange[]): Pair[] {
  if (gone.length === 0 || come.length === 0) return [];
  const total = (states: readonly (FileState | 'unknown')[]): number =>
    states.reduce((sum, state) => sum + countLines(textOf(state), comparedLinesMax), 0);
  const linesBefore = total(gone.map(({ base }) => base));
  const linesAfter = total(come.map(({ agent }) => agent));
  if (linesBefore * come.length + linesAfter * gone.length > comparedLinesMax) return [];
  const before = gone.map((change) => ({ change, lines: lineTimes(change.base) }));
  const after = come.map((change) => ({ change, lines: lineTimes(change.agent) }));
  const found: Candidate[] = [];
  for (const from of before) {
    for (const to of after) {
      const score = similarity(from.lines, to.lines);
      const sameName = nameOf(from.change.path) === nameOf(to.change.path);
      if (score >= similarityMin) found.push({ pair: [from.change, to.change], similarity: score, sameName });
    }
  }
  found.sort((a, b) => b.similarity - a.similarity || Number(b.sameName) - Number(a.sameName));
  const taken = new Set<CopyChange>();
  return found.flatMap(({ pair }) => {
    if (taken.has(pair[0]) || taken.has(pair[1])) return [];
    taken.add(pair[0]).add(pair[1]);
    return [pair];
  });
}

type Counted = { total: number; times: ReadonlyMap<string, number> };

const textOf = (state: FileState | 'unknown'): string =>
  state !== 'unknown' && state.kind === 'text' ? state.text : '';

function lineTimes(state: FileState | 'unknown'): Counted {
  const times = new Map<string, number>();
  const lines = splitLines(textOf(state));
  for (const line of lines) times.set(line, (times.get(line) ?? 0) + 1);
  return { total: lines.length, times };
}

/** The share of equal lines, wherever they stand, of the longer file's lines. */
function similarity(a: Counted, b: Counted): number {
  const longer = Math.max(a.total, b.total);
  if (Math.min(a.total, b.total) < longer * similarityMin) return 0;
  let equal = 0;
  for (const [line, times] of a.times) equal += Math.min(times, b.times.get(line) ?? 0);
  return equal / longer;
}
