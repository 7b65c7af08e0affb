/** The profile and arguments for macOS as values: well formed whatever the paths are, and saying what they should. */
import { expect, test } from 'vitest';
import { quoted, type SeatbeltOptions, seatbeltCommand, seatbeltProfile } from '../../server/sandbox/seatbelt.ts';
import type { SandboxPolicy } from '../../server/sandbox/types.ts';

type Form = string | { text: string } | Form[];

/** Reads a text of S-expressions; throws where it is none. Strings become `{ text }`, with their escapes undone. */
function parse(source: string): Form[] {
  let at = 0;
  const forms = (until: string): Form[] => {
    const found: Form[] = [];
    for (;;) {
      while (/\s/.test(source[at] ?? '')) at++;
      const char = source[at];
      if (char === undefined || char === ')') {
        if ((char ?? '') !== until) throw new Error(`unexpected ${char ?? 'end'} at ${at}`);
        at++;
        return found;
      }
      if (char === '(') {
        at++;
        found.push(forms(')'));
      } else if (char === '"') found.push(text());
      else found.push(word());
    }
  };
  const text = (): Form => {
    let value = '';
    for (at++; source[at] !== '"'; at++) {
      if (at >= source.length) throw new Error('a string without an end');
      if (source[at] !== '\\') value += source[at];
      else value += { n: '\n', r: '\r', t: '\t' }[source[++at] ?? ''] ?? source[at];
    }
    at++;
    return { text: value };
  };
  const word = (): string => {
    const found = /^[^\s()"]+/.exec(source.slice(at))?.[0] ?? '';
    at += found.length;
    return found;
  };
  return forms('');
}

const policy: SandboxPolicy = {
  mode: 'workspace',
  network: 'off',
  readableRoots: ['/Users/u/shared'],
  sockets: [],
  env: [],
  processesMax: 1,
  memoryBytesMax: 1,
  diskBytesMax: 1,
};
const options = (
  changes: Partial<SeatbeltOptions> = {},
  policyChanges: Partial<SandboxPolicy> = {},
): SeatbeltOptions => ({
  policy: { ...policy, ...policyChanges },
  tree: '/Users/u/Library/state/tree',
  temporary: '/private/var/folders/x/codex-lsp-1',
  home: '/Users/u',
  links: ['/Users/u/work/node_modules'],
  hidden: ['/Users/u/Library/state'],
  ...changes,
});

/** The rules of a profile with its parameters put in, each as one line. */
function rules(given: SeatbeltOptions): string[] {
  const { profile, parameters } = seatbeltProfile(given);
  const show = (form: Form): string => {
    if (!Array.isArray(form)) return typeof form === 'string' ? form : form.text;
    const [head, name] = form;
    if (head === 'param' && typeof name === 'object' && 'text' in name) {
      const path = parameters.get(name.text);
      if (path === undefined) throw new Error(`the parameter ${name.text} is not defined`);
      return path;
    }
    return `(${form.map(show).join(' ')})`;
  };
  return parse(profile).map(show);
}
const rulesOn = (given: SeatbeltOptions, operation: string) =>
  rules(given).filter((rule) => rule.split(/[ ()]/).includes(operation));

test('a git folder that is copied beside the tree is read and written as the tree is', () => {
  const beside = ['/Users/u/Library/state/git'];
  for (const mode of ['workspace', 'readOnly'] as const) {
    const given = { ...options({}, { mode }), beside };
    const holding = (operation: string) =>
      rulesOn(given, operation).filter(
        (rule) => rule.startsWith('(allow') && rule.includes('(subpath /Users/u/Library/state/git)'),
      );
    expect(holding('file-read*')).toHaveLength(1);
    expect(holding('file-write*')).toHaveLength(mode === 'readOnly' ? 0 : 1);
  }
});

test('what is not allowed is denied, and no rule is without a filter that should have one', () => {
  const all = rules(options());
  expect(all.slice(0, 2)).toEqual(['(version 1)', '(deny default)']);
  const whole = all.filter((rule) => /^\(allow [^ ()]+( [^ ()]+)*\)$/.test(rule));
  expect(whole).toEqual(['(allow process-exec)', '(allow process-fork)', '(allow ipc-posix-sem)']);
  for (const name of ['appleevent-send', 'lsopen', 'file-ioctl', 'iokit-open', 'mach-register', 'job-creation'])
    expect(all.join('\n')).not.toContain(name);
});

test('empty lists make no rule, which would hold for everything', () => {
  const given = options({ links: [], hidden: [] }, { readableRoots: [], sockets: [] });
  for (const rule of rules(given)) expect(rule).not.toMatch(/^\((allow|deny) (file|network|mach|sysctl)[^ ]*\)$/);
});

test.each<[string, Partial<SandboxPolicy>, string[]]>([
  ['the copy and the private folder', {}, ['/Users/u/Library/state/tree', '/private/var/folders/x/codex-lsp-1']],
  ['only the private folder', { mode: 'readOnly' }, ['/private/var/folders/x/codex-lsp-1']],
])('may be written: %s', (_, changes, folders) => {
  const written = rulesOn(options({}, changes), 'file-write*').filter((rule) => rule.startsWith('(allow'));
  expect(written).toEqual([
    '(allow file-read* file-write* (subpath /dev/fd))',
    `(allow file-write* ${folders.map((folder) => `(subpath ${folder})`).join(' ')})`,
  ]);
});

test('home is hidden but for toolchains, the state folder but for the copy: the last rule holds', () => {
  const reads = rulesOn(options(), 'file-read*');
  const at = (part: string) => reads.findIndex((rule) => rule.includes(part));
  const home = at('(deny file-read* file-write* (subpath /Users/u))');
  const tools = at('(subpath /Users/u/.cargo/bin)');
  const shared = at('(subpath /Users/u/shared)');
  const links = at('(subpath /Users/u/work/node_modules)');
  const state = at('(deny file-read* file-write* (subpath /Users/u/Library/state))');
  const tree = at('(allow file-read* (subpath /Users/u/Library/state/tree)');
  expect(home).toBeGreaterThan(0);
  for (const later of [tools, shared, links]) expect(later).toBeGreaterThan(home);
  expect(state).toBeGreaterThan(Math.max(tools, shared, links));
  expect(tree).toBeGreaterThan(state);
  expect(reads.join('\n')).not.toMatch(/\(subpath (\/|\/Users|\/private|\/private\/var)\)/);
});

test('on the way to a folder names are seen, not what the folders hold', () => {
  const [rule = ''] = rulesOn(options(), 'file-read-metadata');
  for (const folder of ['/', '/Users', '/Users/u', '/Users/u/Library', '/private/var/folders'])
    expect(rule).toContain(`(literal ${folder})`);
  expect(rule).not.toContain('subpath');
});

test.each<[string, Partial<SandboxPolicy>, number | undefined, string]>([
  ['off', {}, undefined, ''],
  ['off, though a proxy runs', {}, 4000, ''],
  ['hosts without a proxy are none', { network: ['example.com'] }, undefined, ''],
  ['no hosts', { network: [] }, 4000, ''],
  ['hosts: the port of the proxy', { network: ['example.com'] }, 4000, '(remote ip localhost:4000)'],
  ['full', { network: 'full' }, undefined, '(remote ip) (literal /private/var/run/mDNSResponder)'],
])('network: %s', (_, changes, proxyPort, expected) => {
  const [own = '', ...rest] = rulesOn(options({ proxyPort }, changes), 'network-outbound');
  expect(own).toMatch(/^\(allow network-outbound \(remote unix-socket \(subpath \/Users\/u\/Library\/state\/tree\)\)/);
  expect(rest.join('\n')).toBe(expected === '' ? '' : `(allow network-outbound ${expected})`);
  const isFull = changes.network === 'full';
  expect(rulesOn(options({ proxyPort }, changes), 'network-inbound')).toHaveLength(isFull ? 1 : 0);
});

test('a socket of a service is reachable only by name, also where the network is open', () => {
  const socket = '(remote unix-socket (subpath /var/run/docker.sock))';
  expect(rules(options({}, { sockets: ['/var/run/docker.sock'] })).join('\n')).toContain(socket);
  expect(rules(options({}, { network: 'full' })).join('\n')).not.toContain('docker.sock');
});

const strange = [
  '/a"b',
  '/a\\',
  '/a) (allow default) (x',
  '/a\n(allow default)\n',
  "/a'b $(id) `id`",
  '/a=b',
  '/;comment',
  '/grün/\u202e/\t\r',
  '/#"^/.*"',
];

test('no path can become a part of the profile', () => {
  const plain = seatbeltProfile(options({ tree: '/x/tree' })).profile;
  for (const path of strange) {
    const given = options(
      { tree: `${path}/x/tree`, home: path, links: [path], hidden: [path] },
      { readableRoots: [path] },
    );
    const { profile, parameters } = seatbeltProfile(given);
    expect(profile.replace(/ABOVE_\d+/g, '').includes(path)).toBe(false);
    expect(parse(profile).map((form) => (Array.isArray(form) ? form[0] : form))).toEqual(
      parse(plain).map((form) => (Array.isArray(form) ? form[0] : form)),
    );
    expect([parameters.get('TREE'), parameters.get('HOME')]).toEqual([`${path}/x/tree`, path]);
  }
});

test('a string of the profile reads as what was meant, whatever it holds', () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const alphabet = [...'ab"\\() \n\r\t;#\'|ü\u202e\u{1f600}'];
  for (let run = 0; run < 2_000; run++) {
    const word = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join('');
    expect(parse(`(x ${quoted(word)} y)`)).toEqual([['x', { text: word }, 'y']]);
  }
});

test('a NUL is refused', () => {
  expect(() => seatbeltProfile(options({ tree: '/a\0b' }))).toThrow('NUL');
  expect(() => quoted('a\0b')).toThrow('NUL');
});

test('the arguments: the tool by its own path, each parameter by itself, the command behind a --', () => {
  const command = ['/bin/bash', '-c', 'echo "$HOME" \'x\''];
  const argv = seatbeltCommand(options({ tree: '/a b=c/"tree' }), command);
  expect(argv.slice(0, 2)).toEqual(['/usr/bin/sandbox-exec', '-p']);
  expect(argv.slice(argv.indexOf('--'))).toEqual(['--', ...command]);
  expect(argv[argv.indexOf('-D', 0) + 1]).toMatch(/^[A-Z_0-9]+=\//);
  expect(argv).toContain('TREE=/a b=c/"tree');
  const { parameters } = seatbeltProfile(options());
  for (const name of parameters.keys()) expect(name).toMatch(/^[A-Z]+(_\d+)?$/);
});
