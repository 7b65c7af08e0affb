/**
 * The hosts that a command may reach: how a setting names them, how a client's request names one, and whether they
 * fit; pure. What is compared, asked of the resolver and shown to the user is always the same parsed text.
 */
import { domainToASCII } from 'node:url';
import * as z from 'zod';

/** `host`: a name in lower case without a last dot, an IPv4 in four decimal parts, or an IPv6 without brackets. */
export type HostTarget = { host: string; port: number };

/** In one list. */
export const hostPatternsMax = 500;

const hostCharsMax = 253;
const labelCharsMax = 63;
const shownCharsMax = 253;
/** A request's line is limited by its reader; this is for what stands before the path. */
const authorityCharsMax = hostCharsMax + '.:65535'.length;

/**
 * `example.com`, `*.example.com` (every name below it, not itself), `192.0.2.1`, `[2001:db8::1]`. Names outside ASCII
 * become punycode, which is then what is shown. `error`: one sentence without the pattern.
 */
export function parseHostPattern(text: string): { pattern: string } | { error: string } {
  const isWildcard = text.startsWith('*.');
  const rest = isWildcard ? text.slice(2) : text;
  if (text === '*' || rest.includes('*')) {
    return { error: 'a * may only stand for the names below a domain, as in *.example.com' };
  }
  if (rest.startsWith('[') && rest.endsWith(']')) {
    const address = isWildcard ? undefined : ipv6(rest.slice(1, -1));
    return address === undefined ? { error: 'it is no IPv6 address' } : { pattern: `[${address}]` };
  }
  const host = plainHost(isAscii(rest) ? rest : punycode(rest));
  if (host === undefined) return { error: 'it is no host name; give it without scheme, port and path' };
  const labels = host.split('.');
  if (isWildcard && (labels.length < 2 || isNumeric(labels))) {
    return { error: 'it is too wide; put a domain of at least two parts below the *, as in *.example.com' };
  }
  if (labels.length < 2) {
    return { error: 'a host has at least two parts, as example.com; servers in the sandbox need no permission' };
  }
  return { pattern: isWildcard ? `*.${host}` : host };
}

/** In the settings: an entry that is no pattern is an error with its reason. */
export const hostPatternSchema = z.string().check((context) => {
  const parsed = parseHostPattern(context.value);
  if ('error' in parsed) {
    context.issues.push({ code: 'custom', message: parsed.error, input: context.value });
  }
});

/**
 * What a client asked for, parsed once: `host:port` as CONNECT has it, or `http://host[:port]/…`, of which the path
 * comes back too. Nothing for all that could be read in two ways.
 */
export function hostOf(requestTarget: string): (HostTarget & { path: string }) | undefined {
  const [, scheme, authority = '', path = ''] = /^(?:(http):\/\/)?([^/?#]*)((?:[/?].*)?)$/is.exec(requestTarget) ?? [];
  if (authority.length > authorityCharsMax || (scheme === undefined && path !== '')) return undefined;
  const [, bracketed, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(authority) ?? [];
  if (digits === undefined && scheme === undefined) return undefined;
  const host = bracketed === undefined ? plainHost(name ?? '') : ipv6(bracketed);
  const port = Number(digits ?? 80);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port, path: path.startsWith('/') ? path : `/${path}` };
}

/** A name or a literal address that stands alone, as SOCKS has it. */
export function parseHost(text: string): string | undefined {
  return text.includes(':') ? ipv6(text) : plainHost(text);
}

/** `patterns` as `parseHostPattern` gives them, `host` as `hostOf` does. */
export function matchesHost(patterns: readonly string[], host: string): boolean {
  const name = host.includes(':') ? `[${host}]` : host;
  return patterns.some((pattern) => (pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern));
}

/** Whatever a client asked for, as something a person can look at. */
export function shownHost(text: string): string {
  return text
    .slice(0, shownCharsMax)
    .replace(/[^A-Za-z0-9.:[\]_-]/g, '\ufffd')
    .toLowerCase();
}

/** A name, or an IPv4 as everybody writes it: other forms (`127.1`, `0x7f.1`, `2130706433`) are read differently. */
function plainHost(text: string): string | undefined {
  // Before lower case: the Kelvin sign becomes an ordinary k.
  if (!/^[A-Za-z0-9.-]+$/.test(text)) return undefined;
  const host = text.toLowerCase().replace(/\.$/, '');
  if (host.length > hostCharsMax) return undefined;
  const labels = host.split('.');
  if (labels.some((label) => label === '' || label.length > labelCharsMax)) return undefined;
  return isNumeric(labels) && !isIpv4(labels) ? undefined : host;
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Empty where it is no name. Only letters: what is written as `%2e` or as a full-width digit means something else. */
function punycode(text: string): string {
  const converted = /^[\p{L}\p{M}0-9.-]+$/u.test(text) ? domainToASCII(text) : '';
  return isNumeric(converted.split('.')) ? '' : converted;
}

/** As the URL standard has it: a name whose last part is a number is an address. */
const isNumeric = (labels: readonly string[]): boolean => /^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');

const isIpv4 = (labels: readonly string[]): boolean =>
  labels.length === 4 && labels.every((label) => /^(?:0|[1-9][0-9]{0,2})$/.test(label) && Number(label) <= 255);

/** In its shortest form, in lower case. */
function ipv6(text: string): string | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined;
  return URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
}
