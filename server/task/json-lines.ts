/** What a file of JSON lines looks like: its first line names the version of what follows; pure. */
import * as z from 'zod';
import { Refusal } from './refusal.ts';

/** 0: files without such a line, of the versions before it; their lines are the same. */
const version = 1;
const headerSchema = z.strictObject({ codexLspLines: z.int().positive() });

export const versionLine = `${JSON.stringify({ codexLspLines: version })}\n`;

export const isHeader = (line: unknown): boolean => headerSchema.safeParse(line).success;

/** A file of a thread that cannot be used as it is, with the way out. */
export class InvalidLines extends Refusal {
  constructor(path: string, what: string, cause?: unknown) {
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    super('stateFolder', `${path} ${what}${why}; make room there, and see that you may write it.`);
    this.cause = cause;
  }
}

/** Written by a codex-lsp to come: left as it is. */
export class NewerVersion extends Refusal {
  constructor(path: string, found: number, known: number) {
    super(
      'stateFolder',
      `${path} was written by a newer codex-lsp (version ${found}; this one knows ${known}): update this one. It is left as it is.`,
    );
  }
}

/** Parsed; undefined for a line that is no JSON. Throws `NewerVersion`. */
export function linesIn(path: string, text: string): { lines: unknown[]; isTorn: boolean } {
  const lines = text.split('\n');
  const isTorn = lines.at(-1) !== '';
  if (!isTorn) lines.pop();
  const parsed = lines.filter((line) => line !== '').map(parseJson);
  const header = headerSchema.safeParse(parsed[0]);
  if (header.success && header.data.codexLspLines > version) {
    throw new NewerVersion(path, header.data.codexLspLines, version);
  }
  return { lines: parsed, isTorn };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
