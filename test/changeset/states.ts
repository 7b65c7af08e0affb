/** Short words for what the tests of the changeset are about. */
import fc from 'fast-check';
import type { Contents } from '../../server/changeset/binary-patch.ts';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import type { CopyChange, Decisions, Review } from '../../server/changeset/review-types.ts';

export const text = (content: string, mode = 0o644): FileState => ({ kind: 'text', text: content, mode });
export const binary = (hash: string, mode = 0o644): FileState => ({ kind: 'binary', hash, size: 3, mode });
export const link = (target: string): FileState => ({ kind: 'symlink', target });
export { absent };

/** What the real git is given for these: bytes made of their hashes. */
export const contentsOf = (...all: readonly Files[]): Contents =>
  new Map(
    all
      .flatMap((files) => Object.values(files))
      .flatMap((state) => (state.kind === 'binary' ? [[state.hash, Buffer.from(`\0${state.hash}`)] as const] : [])),
  );

/** `'a b c'` as lines of one word. */
export const words = (line: string): string =>
  line
    .split(' ')
    .filter(Boolean)
    .map((word) => `${word}\n`)
    .join('');

export type Files = Readonly<Record<string, FileState>>;

/** The review of what turned `base` into `agent`, while the user's files became `user`. */
export function review(base: Files, agent: Files, user: Files = base, decisions: Decisions = new Map()): Review {
  return reviewOf(changesOf(base, agent), new Map(Object.entries(user)), decisions);
}

export function changesOf(base: Files, agent: Files): CopyChange[] {
  const paths = new Set([...Object.keys(base), ...Object.keys(agent)]);
  return [...paths].map((path) => ({ path, base: base[path] ?? absent, agent: agent[path] ?? absent }));
}

/** Every hunk as `path:line status`, lines from 1. */
export const listed = ({ files }: Review): string[] =>
  files.flatMap(({ path, hunks }) => hunks.map(({ line, status }) => `${path}:${line + 1} ${status}`));

export const idsOf = ({ files }: Review, status = 'pending'): string[] =>
  files.flatMap(({ hunks }) => hunks.filter((hunk) => hunk.status === status).map(({ id }) => id));

/** Lines `0`, `1` …, of which each side keeps, changes or drops some and adds others, each side with letters of its own. */
type Fate = 'keep' | 'keep' | 'drop' | 'change' | 'add';
const fates = (most: number) =>
  fc.array(fc.constantFrom<Fate>('keep', 'keep', 'keep', 'keep', 'drop', 'change', 'add'), {
    minLength: most,
    maxLength: most,
  });
export const threeTexts = fc
  .integer({ min: 0, max: 14 })
  .chain((count) => fc.tuple(fc.constant(count), fates(count), fates(count), fc.boolean()))
  .map(([count, agent, user, same]) => {
    const base = Array.from({ length: count }, (_, i) => `${i}\n`);
    const made = (list: readonly Fate[], letter: string): string =>
      base
        .flatMap((line, i) => {
          const own = `${letter}${line}`;
          return { keep: [line], drop: [], change: [own], add: [line, `${own}`] }[list[i] ?? 'keep'];
        })
        .join('');
    // Sometimes both sides write the same lines, so that changes meet.
    return { base: base.join(''), agent: made(agent, 'x'), user: made(user, same ? 'x' : 'y') };
  });

const lineEnds = fc.array(fc.constantFrom('\n', '\r\n'), { minLength: 1, maxLength: 4 });
const swapped = fc.uniqueArray(fc.nat(14), { maxLength: 2 });

/** The same with LF, CRLF or both as ends, lines of which a side changes the end only, and texts whose last line has none. */
export const threeTextsOfAllEnds = fc
  .tuple(threeTexts, lineEnds, lineEnds, swapped, swapped, fc.uniqueArray(fc.constantFrom('base', 'agent', 'user')))
  .map(([texts, ends, ownEnds, byAgent, byUser, openEnded]) => {
    const swap = (end: string): string => (end === '\n' ? '\r\n' : '\n');
    const made = (side: 'base' | 'agent' | 'user', swaps: readonly number[]): string => {
      const whole = texts[side].replaceAll(/^([xy]?)(\d+)\n/gm, (_line, letter: string, digits: string) => {
        const number = Number(digits);
        const from = letter === '' ? ends : ownEnds;
        const end = from[number % from.length] ?? '\n';
        return `${letter}${digits}${letter === '' && swaps.includes(number) ? swap(end) : end}`;
      });
      return openEnded.includes(side) ? whole.replace(/\r?\n$/, '') : whole;
    };
    return { base: made('base', []), agent: made('agent', byAgent), user: made('user', byUser) };
  });
