/** Accept and reject above each pending hunk, for editors that show lenses; whatever they do, an action does as well. */
import type { CodeLens } from 'vscode-languageserver';
import type { Reviews } from './reviews.ts';
import { isUndecided } from './reviews.ts';
import type { Session } from './session.ts';

const lensesMax = 200;

export function codeLenses(session: Session, reviews: Reviews, uri: string): CodeLens[] {
  const path = session.documents.pathOf(uri);
  if (path === undefined) return [];
  return reviews.at(path).flatMap(({ threadId, file, touched }) =>
    file.hunks
      .filter((hunk) => isUndecided(hunk) && !touched.has(hunk.id))
      .slice(0, lensesMax)
      .flatMap(({ id, status, line, oldLines, newLines }) => {
        const size = `+${newLines.length} -${oldLines.length}`;
        const lens = (title: string, command: string): CodeLens => ({
          range: { start: { line, character: 0 }, end: { line, character: 0 } },
          command: { title, command, arguments: [{ threadId, hunks: [id] }] },
        });
        const reject = lens(`Codex: reject ${size}`, 'codex.reject');
        return status === 'pending' ? [lens(`Codex: accept ${size}`, 'codex.accept'), reject] : [reject];
      }),
  );
}
