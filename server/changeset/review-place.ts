/** Which file and hunk a line of a review document belongs to. The user may have edited the document. */
import { unquotePath } from './git-path.ts';

export type ReviewPlace = { path?: string; hunk?: string };

const entryPattern = /^# \* (?:\[(h[0-9a-f]+)\] )?(.+)$/;
const blockPattern = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@(?: (h[0-9a-f]+))?/;
const headerLinesMax = 12;

/** `line`: 0-based. Text below a hunk belongs to it, up to the next hunk or file. */
export function locateInReview(text: string, line: number): ReviewPlace {
  const lines = text.split(/\r?\n/);
  const firstFile = lines.findIndex((candidate) => candidate.startsWith('diff --git '));
  const inHeading = firstFile < 0 || line < firstFile;
  let hunk: string | undefined;
  for (let at = Math.min(line, lines.length - 1); at >= 0; at--) {
    const candidate = lines[at] ?? '';
    const [, id, path] = entryPattern.exec(candidate) ?? [];
    if (path !== undefined && (inHeading || (id !== undefined && hunk === undefined))) {
      return { path: unquotePath(path), ...(id === undefined ? {} : { hunk: id }) };
    }
    // A comment directly below an entry is about it.
    if (inHeading && !candidate.startsWith('#     ') && !candidate.startsWith('>')) return {};
    hunk ??= blockPattern.exec(candidate)?.[1];
    if (candidate.startsWith('diff --git ')) {
      return { path: pathOfHeader(lines.slice(at, at + headerLinesMax)), ...(hunk === undefined ? {} : { hunk }) };
    }
  }
  return {};
}

/** The line, 0-based, where a hunk begins in a review document, or where the heading names it. */
export function lineOfHunk(text: string, id: string): number | undefined {
  const lines = text.split(/\r?\n/);
  const inDiff = lines.findIndex((line) => line.startsWith('@@ ') && line.split(' ').includes(id));
  const at = inDiff < 0 ? lines.findIndex((line) => line.startsWith(`# * [${id}] `)) : inDiff;
  return at < 0 ? undefined : at;
}

/** The path a file has after the change; of a deletion, before it. */
export function pathOfHeader(lines: readonly string[]): string | undefined {
  const end = lines.findIndex((line, index) => index > 0 && /^(?:@@ |diff --git )/.test(line));
  const header = end < 0 ? lines : lines.slice(0, end);
  const after = (start: string): string | undefined => {
    const line = header.find((candidate) => candidate.startsWith(start));
    return line === undefined ? undefined : unquotePath(line.slice(start.length).replace(/\t$/, ''));
  };
  const named = after('rename to ');
  if (named !== undefined) return named;
  const side = [after('+++ '), after('--- ')].find((name) => name !== undefined && name !== '/dev/null');
  return side?.slice(2) ?? pathOfTitle(lines[0] ?? '');
}

/** `diff --git a/x b/x`: both names are the same, else there would be `rename to`. */
function pathOfTitle(title: string): string | undefined {
  const names = title.slice('diff --git '.length);
  return unquotePath(names.slice((names.length + 1) / 2)).slice(2);
}
