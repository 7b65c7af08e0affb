/** Edits in git's lines: to git only `\n` ends a line, to an editor a lone `\r` does as well. */
import type { LineEdit } from './review-types.ts';

/** An edit and the hunks it is made of. */
export type HunkEdit = { ids: readonly string[]; edit: LineEdit };

/** The same in git's lines, `line` 0-based. */
export type GitEdit = {
  ids: readonly string[];
  line: number;
  oldLines: readonly string[];
  newLines: readonly string[];
};

export const gitLines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** Edits that share or touch one of git's lines become one. */
export function gitEdits(lines: readonly string[], edits: readonly HunkEdit[]): GitEdit[] {
  const starts = gitLineStarts(lines);
  const groups: { from: number; to: number; members: HunkEdit[] }[] = [];
  for (const member of edits) {
    const { from, to } = widened(member.edit, lines, starts);
    const group = groups.at(-1);
    if (group && from <= group.to) {
      group.members.push(member);
      group.to = Math.max(group.to, to);
    } else {
      groups.push({ from, to, members: [member] });
    }
  }
  let line = 0;
  let counted = 0;
  return groups.map(({ from, to, members }) => {
    for (; counted < from; counted++) if (lines[counted]?.endsWith('\n')) line++;
    return {
      ids: members.flatMap(({ ids }) => ids),
      line,
      oldLines: gitLines(lines.slice(from, to).join('')),
      newLines: gitLines(edited(lines, from, to, members)),
    };
  });
}

/** Of every line, and of the end of the text, the first line of the git line it is part of. */
function gitLineStarts(lines: readonly string[]): number[] {
  const starts = [0];
  for (const [index, line] of lines.entries()) {
    starts.push(line.endsWith('\n') ? index + 1 : (starts[index] ?? 0));
  }
  return starts;
}

/** The lines from `from` up to `to` that make whole git lines, before the edit and after it. */
function widened(edit: LineEdit, lines: readonly string[], starts: readonly number[]): { from: number; to: number } {
  const from = starts[edit.line] ?? edit.line;
  let to = edit.line + edit.deleteCount;
  const before = edit.lines.at(-1) ?? (from < edit.line ? lines[edit.line - 1] : undefined);
  if (starts[to] === to && (before === undefined || before.endsWith('\n'))) return { from, to };
  do to++;
  while (to < lines.length && starts[to] !== to);
  return { from, to: Math.min(to, lines.length) };
}

function edited(lines: readonly string[], from: number, to: number, members: readonly HunkEdit[]): string {
  const parts: (readonly string[])[] = [];
  let done = from;
  for (const { edit } of members) {
    parts.push(lines.slice(done, edit.line), edit.lines);
    done = edit.line + edit.deleteCount;
  }
  return [...parts, lines.slice(done, to)].flat().join('');
}
