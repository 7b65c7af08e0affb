/** git's configuration (git-config, "Syntax") without the credentials in it; pure. */
import { mask, maskCredentials, maskUrls, maskWholeUrl } from './mask-text.ts';

/** A line of the file, or several where a value goes on with a `\` at the line's end. All together are the text. */
type Part =
  | { kind: 'other'; raw: string }
  | { kind: 'header'; before: string; section: string; subsection?: string; after: string; rest?: Entry; raw: string }
  | ({ kind: 'entry' } & Entry);
type Entry = { before: string; key: string; raw: string; value: string; lines: number; end: string };

/** An inline helper is a program text: what in it is a secret, nobody can tell. This one does nothing. */
const noHelper = '!: masked';

const headerForm = /^(\s*)\[([\w.-]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?[ \t]*\]/;
const keyForm = /^([ \t]*)([a-z][a-z0-9-]*)([ \t]*=[ \t]*)/i;
const secretKey = /pass(?!ive)|token|secret|api-?key|private-?key|^auth$|oauth|^cookie$|credentials?$/i;
const harmlessKey = /askpass|protected$|^cookiefile$|^tokenfile$/i;
const harmlessValue = /^(true|false|yes|no|on|off|\d{0,3}|\*\*\*)$/i;

/**
 * The same text with every credential masked, line for line; nothing where there is none. A value that holds one is
 * written anew on its first line, the lines it went on with are empty; all else stays byte for byte.
 */
export function maskGitConfig(text: string): string | undefined {
  let section = '';
  const masked = linesOf(text)
    .map((part) => {
      if (part.kind === 'other') return maskCredentials(part.raw);
      if (part.kind === 'entry') return maskEntry(part, section);
      section = part.section.toLowerCase();
      const { before, subsection, after, rest } = part;
      const plain = subsection?.replace(/\\(.)/gs, '$1');
      const shown = plain === undefined ? undefined : maskUrls(maskWholeUrl(plain));
      const quoted = shown === plain ? subsection : shown?.replace(/["\\]/g, '\\$&');
      const head = quoted === undefined ? before + after : `${before}"${quoted}"${after}`;
      return head + (rest ? maskEntry(rest, section) : maskCredentials(part.raw));
    })
    .join('');
  return masked === text ? undefined : masked;
}

function maskEntry({ before, key, raw, value, lines, end }: Entry, section: string): string {
  const masked = maskValue(section, key.toLowerCase(), value);
  // What is behind the value is a comment.
  if (masked === value && maskCredentials(raw) === raw) return before + raw + end;
  const padding = (end === '' ? '\n' : end).repeat(lines - 1);
  return `${before}${encoded(masked)}${padding}${end}`;
}

function maskValue(section: string, key: string, value: string): string {
  if (key === 'extraheader') return value.replace(/^([^:]*:\s*)?.*\S.*$/s, (_, name = '') => `${name}${mask}`);
  if (key === 'helper' && section.startsWith('credential') && value.startsWith('!')) return noHelper;
  if (secretKey.test(key) && !harmlessKey.test(key) && !harmlessValue.test(value)) return mask;
  return maskCredentials(maskWholeUrl(value));
}

function linesOf(text: string): Part[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const parts: Part[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const header = headerForm.exec(at === 0 ? line.replace(/^\ufeff/, ' ') : line);
    const start = header?.[0].length ?? 0;
    const key = keyForm.exec(line.slice(start));
    if (!key) {
      parts.push(header ? headerPart(line, header, line.slice(start)) : { kind: 'other', raw: line });
      at += 1;
      continue;
    }
    const { value, raw, end, lines: count } = valueFrom(lines, at, start + key[0].length);
    const entry: Entry = { before: key[0], key: key[2] ?? '', raw, value, lines: count, end };
    parts.push(header ? { ...headerPart(line, header, ''), rest: entry } : { kind: 'entry', ...entry });
    at += count;
  }
  return parts;
}

function headerPart(line: string, header: RegExpExecArray, raw: string): Extract<Part, { kind: 'header' }> {
  const [whole, , section = '', subsection] = header;
  const text = line.slice(0, whole.length);
  const quote = text.indexOf('"');
  if (subsection === undefined) return { kind: 'header', before: text, section, after: '', raw };
  return {
    kind: 'header',
    before: text.slice(0, quote),
    section,
    subsection,
    after: text.slice(quote + subsection.length + 2),
    raw,
  };
}

/** The value as git reads it, and the text it was read from. */
function valueFrom(
  lines: readonly string[],
  first: number,
  column: number,
): { value: string; raw: string; end: string; lines: number } {
  let value = '';
  let raw = '';
  let isQuoted = false;
  for (let at = first; ; at += 1) {
    const line = (lines[at] ?? '').slice(at === first ? column : 0);
    const [end = ''] = /\r?\n?$/.exec(line) ?? [];
    const content = line.slice(0, line.length - end.length);
    let isComment = false;
    let goesOn = false;
    for (let index = 0; index < content.length && !isComment; index += 1) {
      const character = content.charAt(index);
      if (character === '"') isQuoted = !isQuoted;
      else if (!isQuoted && (character === '#' || character === ';')) isComment = true;
      else if (character !== '\\') value += character;
      else if (index === content.length - 1) goesOn = true;
      else {
        index += 1;
        value += unescaped(content.charAt(index));
      }
    }
    if (goesOn && at + 1 < lines.length) {
      raw += line;
      continue;
    }
    return { value: value.trimEnd(), raw: raw + content, end, lines: at - first + 1 };
  }
}

const unescaped = (character: string): string =>
  character === 'n' ? '\n' : character === 't' ? '\t' : character === 'b' ? '\b' : character;

const encoded = (value: string): string =>
  /^[\w:/@.*%+~,=?&-]*$/.test(value)
    ? value
    : `"${value
        .replace(/[\\"]/g, '\\$&')
        .replaceAll('\n', '\\n')
        .replaceAll('\t', '\\t')
        .replaceAll('\b', '\\b')
        .replaceAll('\r', '')}"`;
