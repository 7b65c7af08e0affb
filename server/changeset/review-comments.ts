/** The user's comments in a review document, as the message that the next turn begins with. */
import { type EditedDocument, parseReview } from './edited-document.ts';
import { quotePath } from './git-path.ts';
import { wasSent } from './sent-comments.ts';

const hunkLinesMax = 200;
const hunkCharsMax = 20_000;

/** Of those that were not sent; `sent`: keys. Undefined where there are none. */
export function commentsPrompt(text: string, sent: ReadonlySet<string> = new Set()): string | undefined {
  const document = parseReview(text);
  const comments = document.comments.filter((comment) => !wasSent(text, comment, sent));
  if (comments.length === 0) return undefined;
  const parts = comments.map(({ place, text: said }) => {
    const { path, hunk } = place;
    if (path === undefined) return `On all of it:\n\n${said}`;
    const lines = hunk === undefined ? [] : linesOf(document, path, hunk);
    const where = `On ${quotePath(path)}${hunk === undefined ? '' : `, hunk ${hunk}`}:`;
    return [where, ...(lines.length > 0 ? [fenced(lines.join('\n'))] : []), said].join('\n\n');
  });
  return ['My comments on your changes:', ...parts].join('\n\n');
}

/** As the document shows them, with what the user has edited. */
function linesOf({ files }: EditedDocument, path: string, id: string): string[] {
  const hunks = files.filter((file) => file.path === path).flatMap((file) => file.hunks);
  const body = hunks.find(({ ids }) => ids.includes(id))?.body ?? [];
  const lines = body.map(({ mark, text }) => mark + text.replace(/\r+$/, ''));
  const more = lines.length - hunkLinesMax;
  return more > 0 ? [...lines.slice(0, hunkLinesMax), `… ${more} more lines`] : lines;
}

function fenced(diff: string): string {
  const shown = diff.length > hunkCharsMax ? `${diff.slice(0, hunkCharsMax)}…` : diff;
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${shown}\n${fence}`;
}
