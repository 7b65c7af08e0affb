/** Host patterns, `example.com` or `*.example.com`: what one may look like, and which hosts a list of them covers. */
import ipaddr from 'ipaddr.js';

const hostCharsMax = 253;
const form = 'write a plain host name such as example.com, or *.example.com for all hosts below it';

/** In small letters, without a final dot; or why it is none, as a sentence. */
export function parseHostPattern(text: string): { pattern: string } | { problem: string } {
  const name = text.toLowerCase().replace(/\.$/, '');
  const suffix = name.replace(/^\*\./, '');
  const problem = (why: string) => ({ problem: `${JSON.stringify(text)} ${why}; ${form}.` });
  const isWide = !suffix.includes('.') || /^(ac|co|com|edu|gov|net|org)\.[a-z]{2}$/.test(suffix);
  if (name === '*' || (suffix !== name && isWide)) return problem('is too wide');
  if (/[/@:]/.test(name)) return problem('is more than a host: leave out scheme, user, port and path');
  if (ipaddr.isValid(suffix)) {
    return suffix === name && ipaddr.IPv4.isValidFourPartDecimal(name) && ipaddr.parse(name).range() === 'unicast'
      ? { pattern: name }
      : problem('is no address that can be opened');
  }
  const labels = suffix.split('.');
  if (name.length > hostCharsMax || !labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)))
    return problem('is no host name');
  if (labels.length < 2 || /^(localhost|local|internal|lan|arpa|onion|0x[0-9a-f]*|\d+)$/.test(labels.at(-1) ?? ''))
    return problem('names this machine or a private network, which cannot be opened');
  return { pattern: name };
}

/** `host` may be a pattern itself: then all that it stands for must be covered. Both as `parseHostPattern` gives them. */
export function matchesHost(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) => pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1))));
}
