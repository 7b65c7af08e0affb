/** An edited section that is a file as a whole: a creation, whose lines may be edited, or what has to stand as it was written. */
import { type EditedFile, plain } from './edited-document.ts';
import { fitHunk } from './edited-hunk.ts';
import type { EditedResult, EditedSections } from './edited-outcome.ts';
import { acceptOutcomes } from './outcome.ts';
import type { FileOutcome } from './review-types.ts';

export function editedWhole(sections: EditedSections): EditedResult {
  const { file, edited, written, current } = sections;
  const [hunk] = file.hunks;
  const [section] = edited;
  if (!hunk || !section || hunk.status === 'accepted' || hunk.status === 'rejected') return undefined;
  const misfit = (at: number, reason: string): EditedResult => ({ misfits: [{ at, reason, hunk: hunk.id }] });
  if (hunk.status === 'conflicting') return misfit(section.line, 'you have changed this file since; it stays');
  const [accepted] = acceptOutcomes({ files: [file] }, new Set([hunk.id]));
  if (!accepted) return undefined;
  const isCreated = file.user.kind === 'absent' && section.payload.length === 0 && edited.length === 1;
  if (isCreated && (file.agent.kind === 'text' || file.agent.kind === 'symlink')) {
    return created(sections, section, accepted);
  }
  const same = (others: readonly EditedFile[]): boolean =>
    edited.length === others.length && edited.every((part, index) => contentOf(part) === contentOf(others[index]));
  if (same(written) || same(current)) return accepted;
  const what = edited.length === current.length ? 'was edited' : 'is there only in part';
  return misfit(section.line, `this change is applied as a whole, and ${what}; accept the file, or write it yourself`);
}

/** With the lines that stand there now. */
function created({ file, written, current }: EditedSections, section: EditedFile, accepted: FileOutcome): EditedResult {
  const lines: string[] = [];
  for (const [index, hunk] of section.hunks.entries()) {
    const original = (written[0] ?? current[0])?.hunks[index];
    const asWritten = original && { hunk: original, firstChanged: 0, contextMayDiffer: false };
    const fit = fitHunk(hunk, asWritten, []);
    if ('reason' in fit) {
      const reason = 'every line of a new file begins with +';
      return { misfits: [{ at: fit.at, reason, hunk: hunk.ids[0] ?? '' }] };
    }
    for (const line of fit.lines) lines.push(line);
  }
  const text = lines
    .map((line, index) => (index === lines.length - 1 || line.endsWith('\n') ? line : `${line}\n`))
    .join('');
  if (file.agent.kind === 'text') return { ...accepted, after: { ...file.agent, text } };
  const target = text.replace(/\r?\n$/, '');
  if (target !== '') return { ...accepted, after: { kind: 'symlink', target } };
  return { misfits: [{ at: section.line, reason: 'a link needs a target', hunk: accepted.hunks[0] }] };
}

/** Whatever an editor has done to the ends of lines. */
function contentOf(section: EditedFile | undefined): string {
  const bodies = (section?.hunks ?? []).map(({ body }) => body.map(({ mark, text }) => plain(mark + text)));
  return JSON.stringify([bodies.map((body) => body.join('\n').trimEnd()), section?.payload]);
}
