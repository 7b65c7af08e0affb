/** The shell as a face: no open documents, so the server writes every file itself. */
import { type Face, noDocuments } from '../task/ports.ts';

export const shellFace: Face = {
  documents: noDocuments,
  profile: { mode: 'disk' },
  applyEdits: async (_root, edits) => new Map(edits.map(({ path }) => [path, 'there is no editor to apply it'])),
};
