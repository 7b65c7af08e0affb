/** Reads a review document that the user may have written into. Every line is looked at; none makes it throw. */
import { locateInReview, pathOfHeader, type ReviewPlace } from './review-place.ts';

/** `text`: as in the document, without the `\n`. `isEnd`: `\ No newline at end of file` stands below it. */
export type BodyLine = { mark: ' ' | '+' | '-'; text: string; isEnd: boolean };

/** `line`: 0-based, in the document. `ids`: as its `@@` line names them. `stray`: the first line that is none of a diff. */
export type EditedHunk = { line: number; ids: readonly string[]; body: readonly BodyLine[]; stray?: number };

/** `whole`: ids of `# * [h…]` lines, of a change without lines. `payload`: of a binary file. */
export type EditedFile = {
  line: number;
  path: string;
  header: readonly string[];
  hunks: readonly EditedHunk[];
  payload: readonly string[];
  whole: readonly string[];
};

/** Lines that follow each other and begin with `>`, without it; `place`: what they stand under, `{}` the whole. */
export type Comment = { line: number; place: ReviewPlace; text: string };

export type EditedDocument = { files: readonly EditedFile[]; comments: readonly Comment[] };

const headerPattern =
  /^(?:old mode|new mode|deleted file mode|new file mode|similarity index|dissimilarity index|rename from|rename to|---|\+\+\+) /;
const entryPattern = /^# \* \[(h[0-9a-f]+)\] /;

type OpenFile = {
  line: number;
  header: string[];
  hunks: { line: number; ids: string[]; body: BodyLine[]; stray?: number }[];
  payload: string[];
  whole: string[];
};

export function parseReview(text: string): EditedDocument {
  const lines = documentLines(text);
  const files: OpenFile[] = [];
  for (const [at, line] of lines.entries()) {
    const file = files.at(-1);
    if (line.startsWith('diff --git ')) {
      files.push({ line: at, header: [withoutCr(line)], hunks: [], payload: [], whole: [] });
    } else if (file) readLine(file, line, at);
  }
  return {
    files: files.map((file) => ({ ...file, path: pathOfHeader(file.header) ?? '' })),
    comments: commentsIn(text, lines),
  };
}

function readLine(file: OpenFile, line: string, at: number): void {
  const hunk = file.hunks.at(-1);
  const [, entry] = entryPattern.exec(line) ?? [];
  if (entry !== undefined) file.whole.push(entry);
  if (/^[#>]/.test(line)) return;
  if (line.startsWith('@@')) {
    const ids = line.replace(/^@@[^@]*(?:@@)?/, '').match(/\bh[0-9a-f]+\b/g) ?? [];
    file.hunks.push({ line: at, ids, body: [] });
  } else if (!hunk) {
    if (headerPattern.test(line) && file.payload.length === 0) file.header.push(withoutCr(line));
    else if (plain(line) !== '') file.payload.push(plain(line));
  } else if (line.startsWith('\\')) {
    const last = hunk.body.at(-1);
    if (last) last.isEnd = true;
  } else if (isMark(line[0])) {
    hunk.body.push({ mark: line[0], text: line.slice(1), isEnd: false });
  } else if (plain(line) === '') {
    // An editor has taken the blank of an empty line of context.
    hunk.body.push({ mark: ' ', text: '', isEnd: false });
  } else hunk.stray ??= at;
}

/** Only `\n` ends a line here: a lone `\r` may be part of what a file holds. */
function documentLines(text: string): string[] {
  const lines = text.split('\n');
  if (plain(lines.at(-1) ?? '') === '') lines.pop();
  return lines;
}

/** Of a name, a blank at its end is part. */
const withoutCr = (line: string): string => line.replace(/\r+$/, '');

const isMark = (char: string | undefined): char is BodyLine['mark'] => char === ' ' || char === '+' || char === '-';

/** What an editor's own line ends, and its care for blanks at the end of a line, leave. */
export const plain = (line: string): string => line.trimEnd();

function commentsIn(text: string, lines: readonly string[]): Comment[] {
  const comments: (Comment & { last: number })[] = [];
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith('>')) continue;
    const said = plain(line.replace(/^> ?/, ''));
    const before = comments.at(-1);
    if (before && before.last === at - 1) {
      before.text += `\n${said}`;
      before.last = at;
    } else comments.push({ line: at, last: at, place: locateInReview(text, at), text: said });
  }
  return comments.filter((comment) => comment.text.trim() !== '').map(({ last: _, ...comment }) => comment);
}

/** The document without what the user only says. */
export const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('>'))
    .join('\n');

/** Whether there is a line that is neither a part of the diff nor was written by the server: notes of the user's own. */
export function hasNotes(text: string, written: string): boolean {
  const known = new Set(written.split('\n').map(plain));
  const lines = text.split('\n').map(plain);
  const firstFile = lines.findIndex((line) => line.startsWith('diff --git '));
  const isOfDiff = (line: string, at: number): boolean =>
    firstFile >= 0 && at > firstFile && /^(?:[ +\\-]|@@)/.test(line);
  return lines.some((line, at) => line !== '' && !isOfDiff(line, at) && !known.has(line));
}
