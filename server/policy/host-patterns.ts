/** Which hosts the model may ask for: public ones, by name, and no wider than a domain of somebody. */
import { parseHostPattern } from '../protocol/hosts.ts';

const form = 'Write a plain name such as example.com, or *.example.com for all hosts below it.';

/** As a pattern in its one form; or why not, as sentences. */
export function parseAskedHost(text: string): { pattern: string } | { problem: string } {
  const problem = (why: string) => ({ problem: `${JSON.stringify(text)} cannot be asked for: ${why}. ${form}` });
  const parsed = parseHostPattern(text);
  if ('error' in parsed) return problem(parsed.error);
  const { pattern } = parsed;
  if (/^\*\.(ac|co|com|edu|gov|net|org)\.[a-z]{2}$/.test(pattern)) return problem('it is too wide');
  if (isPrivate(pattern)) return problem('it names this machine or a private network, which the sandbox never reaches');
  return { pattern };
}

/** By its looks: what a public name leads to is looked at when it is dialled. */
function isPrivate(pattern: string): boolean {
  if (pattern.startsWith('[')) return !/^\[[23]/.test(pattern) || /^\[(2001:db8:|2002:)/.test(pattern);
  if (/\.(localhost|local|internal|intranet|lan|home|corp|arpa|onion)$/.test(pattern)) return true;
  const [a, b, c, d] = pattern.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : undefined));
  if (a === undefined || b === undefined || c === undefined || d === undefined) return false;
  const isShared = (a === 100 && b >= 64 && b < 128) || (a === 198 && (b === 18 || b === 19));
  const isLocal = (a === 172 && b >= 16 && b < 32) || (a === 192 && (b === 168 || (b === 0 && c <= 2)));
  return [0, 10, 127].includes(a) || a >= 224 || (a === 169 && b === 254) || isShared || isLocal;
}
