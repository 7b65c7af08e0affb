/** Tasks that the server words itself: of a comment, of diagnostics, of a selection. */

import * as z from 'zod';
import { pathIn } from '../protocol/folders.ts';
import { rangeSchema } from '../protocol/methods.ts';
import { Refusal } from '../task/refusal.ts';
import { findCommentTask, type Lines } from './comment-task.ts';
import { checked } from './from-lsp.ts';
import type { LineDocument } from './line-document.ts';
import type { Session } from './session.ts';
import { startTask, textAt } from './start-task.ts';

/** What the actions on a selection ask for, by the words behind `Codex: `. */
export const selectionTasks = [
  {
    title: 'explain the selection',
    mode: 'ask',
    prompt: 'Explain the selected code: what it does, how, and what is worth knowing about it. Be brief.',
  },
  {
    title: 'write tests for the selection',
    mode: 'task',
    prompt: "Write tests for the selected code, in the project's own manner and place for tests, and run them.",
  },
  {
    title: 'document the selection',
    mode: 'task',
    prompt: "Document the selected code with comments in the project's own manner. Change no behaviour.",
  },
] as const;

const place = z.object({ uri: z.string(), line: z.number().int().nonnegative() });

/** The comment as it stands in the buffer at this moment; the agent finds it taken out. */
export async function runComment(session: Session, params: unknown): Promise<unknown> {
  const { uri, line } = checked(place, params, 'codex.runComment');
  await session.settled();
  const document = await textAt(session, uri);
  const found = document && findCommentTask(linesOf(document), line, session.settings.markers);
  if (!document || !found) throw new Refusal('stale', 'There is no task in a comment at this place any more.');
  const base = document.getText();
  const { start, end } = found.remove;
  const text = base.slice(0, document.offsetAt(start)) + base.slice(document.offsetAt(end));
  const file = session.documents.pathOf(uri);
  const { workspace } = await session.folders.workspaceFor({ document: file });
  const path = file === undefined ? undefined : pathIn(workspace, file);
  return startTask(session, {
    prompt: found.prompt,
    textDocument: { uri },
    range: { start: { line: found.first, character: 0 }, end: { line: found.first, character: 0 } },
    seeds: path ? [{ path, base, text }] : [],
    text,
  });
}

const fix = z.object({
  uri: z.string(),
  range: rangeSchema,
  diagnostics: z
    .array(
      z.object({
        line: z.number(),
        severity: z.enum(['error', 'warning', 'information', 'hint']),
        message: z.string(),
        source: z.string().optional(),
      }),
    )
    .min(1),
});

export type Fix = z.infer<typeof fix>;

export async function runFix(session: Session, params: unknown): Promise<unknown> {
  const { uri, range, diagnostics } = checked(fix, params, 'codex.fix');
  const what = diagnostics.map(
    ({ line, message, source }) => `- line ${line + 1}${source ? ` (${source})` : ''}: ${message}`,
  );
  const prompt = `Fix what the editor reports here, at its cause:\n${what.join('\n')}`;
  return startTask(session, { prompt, textDocument: { uri }, range, diagnostics });
}

/** A document's lines, without reading more of it than is asked for. */
export function linesOf(document: LineDocument): Lines {
  return {
    count: document.lineCount,
    at: (line) =>
      document
        .getText({ start: { line, character: 0 }, end: { line: line + 1, character: 0 } })
        .replace(/(\r\n|\r|\n)$/, ''),
  };
}
