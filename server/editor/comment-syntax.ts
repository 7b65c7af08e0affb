/** How comments begin and end, in all languages at once, and what stands before a place in a line. Pure. */
import { isQuoted, quotedIn } from './quoted.ts';

export type Block = {
  open: string;
  close: string;
  /** Characters that may follow `open` as decoration, and the `*` among them precede `close`. */
  more?: string;
  /** `line`: only indentation may stand before it. `column`: nothing may, also before `close`. */
  at?: 'line' | 'column';
};

/** Longer first where one ends with another. */
const blocks: readonly Block[] = [
  { open: '{/*', close: '*/}', more: '*' }, // JSX
  { open: '/*', close: '*/', more: '*!' }, // C and its family
  { open: '{{!--', close: '--}}' }, // Handlebars
  { open: '{{!', close: '}}' }, // Handlebars, Mustache
  { open: '<!--', close: '-->' }, // HTML, XML, Markdown
  { open: '<%--', close: '--%>' }, // JSP
  { open: '<%#', close: '%>' }, // ERB
  { open: '@*', close: '*@' }, // Razor
  { open: '(*', close: '*)', more: '*' }, // OCaml, Pascal, Coq
  { open: '{-', close: '-}' }, // Haskell, Elm
  { open: '{#', close: '#}' }, // Jinja
  { open: '--[[', close: ']]' }, // Lua
  { open: '--[=[', close: ']=]' },
  { open: '--[==[', close: ']==]' },
  { open: '#|', close: '|#' }, // Lisp, Scheme
  { open: '#=', close: '=#' }, // Julia
  { open: '#[', close: ']#' }, // Nim
  { open: '%{', close: '%}' }, // Matlab
  { open: '<#', close: '#>' }, // PowerShell
  { open: '=begin', close: '=end', at: 'column' }, // Ruby
  { open: '"""', close: '"""', at: 'line' }, // Python
  { open: "'''", close: "'''", at: 'line' },
];

type LineSyntax = {
  open: string;
  /** More of the same character belong to it. */
  repeats?: true;
  /** Never behind code. */
  atStart?: true;
  /** White space must follow. */
  spaced?: true;
};

/** Longer first where one ends with another; words in any case. */
const lineSyntaxes: readonly LineSyntax[] = [
  { open: '//!' }, // Rust
  { open: '//-' }, // Pug
  { open: '//', repeats: true },
  { open: '-#', atStart: true }, // Haml
  { open: '#', repeats: true },
  { open: '--', repeats: true },
  { open: ';', repeats: true },
  { open: '%', repeats: true },
  { open: '⍝' }, // APL
  { open: '*>' }, // COBOL
  { open: 'dnl', spaced: true },
  { open: '@rem', spaced: true, atStart: true },
  { open: 'rem', spaced: true },
  { open: '.\\"', atStart: true }, // roff
  { open: `'\\"`, atStart: true },
  { open: '\\"', spaced: true },
  { open: "'" },
  { open: '"', atStart: true },
  { open: '!', atStart: true },
  { open: '\\', atStart: true },
  { open: '*', atStart: true },
  { open: '::', atStart: true },
  { open: 'c', spaced: true, atStart: true }, // Fortran
  { open: '..', spaced: true, atStart: true }, // reStructuredText
];

/** The line comment whose words begin at `to`, behind white space; undefined where there is none. */
export function lineOpenerBefore(text: string, to: number): { start: number; opener: string } | undefined {
  const end = skipSpace(text, to);
  for (const { open, repeats, atStart, spaced } of lineSyntaxes) {
    let start = end - open.length;
    if (start < 0 || text.slice(start, end).toLowerCase() !== open || (spaced && end === to)) continue;
    while (repeats && text[start - 1] === open[0]) start -= 1;
    if (isIndentation(text, start)) return { start, opener: text.slice(start, end) };
    if (!atStart && /[\s;{}(),]/.test(text[start - 1] ?? '')) return { start, opener: text.slice(start, end) };
  }
  return undefined;
}

/** The block comment whose words begin at `to`, behind white space and decoration. */
export function blockOpenerBefore(text: string, to: number): { start: number; block: Block } | undefined {
  const end = skipSpace(text, to);
  for (const block of blocks) {
    const { open, more = '', at } = block;
    let from = end;
    while (from > 0 && more.includes(text[from - 1] ?? ' ')) from -= 1;
    // The decoration begins with the last character of the opener itself.
    const start = more === '' ? end - open.length : from - open.length + 1;
    if (start < 0 || start + open.length > end || !text.startsWith(open, start)) continue;
    if (at === undefined || (at === 'line' ? isIndentation(text, start) : start === 0)) return { start, block };
  }
  return undefined;
}

/** Whether the line comment at `start` is no comment of its own: it stands in a string, or in another comment. */
export function isInsideLine(text: string, start: number, opener: string): boolean {
  const quoted = quotedIn(text);
  if (isQuoted(quoted, start)) return true;
  if (isIndentation(text, start)) return false;
  const code = withoutQuoted(text.slice(0, start), quoted);
  if (opener.startsWith('//') && isOpen(code, '/*', '*/')) return true;
  // A line that begins with a comment is nothing else. `#include` and `#count = 0` do not.
  if (/^\s*(?:\/\/|--\s|#\s(?!\s*(?:define|include|if|ifdef|ifndef|else|elif|endif|pragma|undef)\b))/.test(code))
    return true;
  if (/[;{}]\s+\/\//.test(code)) return true;
  if (/^(?:\/\/|--)/.test(opener)) return code.includes(opener.slice(0, 2));
  return ` ${code.replace(/\s/g, ' ')}`.includes(` ${/^[#;%]/.test(opener) ? opener[0] : opener}`);
}

/** The same of a block comment. */
export function isInsideBlock(text: string, start: number, { open, close }: Block): boolean {
  const quoted = quotedIn(text);
  if (isQuoted(quoted, start)) return true;
  const code = withoutQuoted(text.slice(0, start), quoted);
  if (open !== close && isOpen(code, open, close)) return true;
  return open.includes('/*') && /(?:^|\s)\/\//.test(code);
}

export const isIndentation = (text: string, to: number): boolean => text.slice(0, to).trim() === '';

function skipSpace(text: string, to: number): number {
  return text.slice(0, to).trimEnd().length;
}

const isOpen = (code: string, open: string, close: string): boolean => {
  const at = code.lastIndexOf(open);
  return at >= 0 && !code.includes(close, at + open.length);
};

function withoutQuoted(text: string, quoted: readonly { start: number; end: number }[]): string {
  let code = '';
  let done = 0;
  for (const { start, end } of quoted) {
    if (start >= text.length) break;
    code += `${text.slice(done, start)}""`;
    done = end + 1;
  }
  return code + text.slice(done);
}
