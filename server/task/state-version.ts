/** The state folder as a whole says which version wrote it, so that an older program leaves a newer one's alone. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from './durable.ts';
import { NewerVersion } from './json-lines.ts';

const version = 1;
const schema = z.looseObject({ version: z.int().nonnegative() });

/** Writes it where there is none. Throws `NewerVersion`; what cannot be read or written is seen by whoever needs the folder. */
export async function assertStateVersion(stateDir: string): Promise<void> {
  const path = join(stateDir, 'state.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return writeDurably(path, `${JSON.stringify({ version })}\n`).catch(() => {});
  const found = schema.safeParse(parsed(text));
  if (found.success && found.data.version > version) throw new NewerVersion(stateDir, found.data.version, version);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
