/** Which hosts are allowed: how they are written down, asked for and compared. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostOf, matchesHost, parseHost, parseHostPattern, shownHost } from '../../server/protocol/hosts.ts';
import { settingsSchema } from '../../server/protocol/settings.ts';

const long = `${'a'.repeat(63)}.`.repeat(3);

describe('a pattern', () => {
  test.each([
    ['example.com', 'example.com'],
    ['Example.COM.', 'example.com'],
    ['*.example.com', '*.example.com'],
    ['*.Pkg.example.com.', '*.pkg.example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    // A Cyrillic а: shown as what it is.
    ['*.\u0430pple.com', '*.xn--pple-43d.com'],
    ['93.184.216.34', '93.184.216.34'],
    ['[2606:2800:0220::0001]', '[2606:2800:220::1]'],
    [`${long}${'b'.repeat(61)}`, `${long}${'b'.repeat(61)}`],
  ])('%s is %s', (text, pattern) => {
    expect(parseHostPattern(text)).toEqual({ pattern });
  });

  test.each([
    ...[
      '',
      '.',
      '*',
      '*.',
      '**.example.com',
      '*.*.com',
      'a*.example.com',
      '*example.com',
      'example.*',
      '*.com',
      '*.com.',
    ],
    ...[
      'localhost',
      'com',
      '.example.com',
      'a..example.com',
      'example.com..',
      `${'a'.repeat(64)}.com`,
      `${long}${'b'.repeat(62)}`,
    ],
    ...[
      'https://example.com',
      'example.com/',
      'example.com:443',
      'me@example.com',
      'a b.com',
      ' example.com',
      'example.com\n',
    ],
    ...['evil.com\0.example.com', 'ex%61mple.com', 'a_b.example.com', 'example\u3002com\0', 'example.com?', 'a,b.com'],
    ...[
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.0x4',
      '*.1.2.3.4',
      'a.1',
    ],
    ...['\uff11.1', '\u2460.1', '2001:db8::1', '[::1', '[1.2.3.4]', '[fe80::1%eth0]', '*.[2001:db8::1]', '[]'],
  ])('%j is refused', (text) => {
    expect(parseHostPattern(text)).toEqual({ error: expect.stringMatching(/^(it|a) /) });
  });

  test('in the settings a wrong one is named with its reason', () => {
    const parsed = settingsSchema.shape.sandbox.unwrap().shape.network.safeParse(['example.com', '*']);
    expect(parsed.error?.message).toContain('a * may only stand for');
    expect(settingsSchema.shape.sandbox.unwrap().shape.network.parse(['example.com'])).toEqual(['example.com']);
  });
});

describe('a request', () => {
  test.each([
    ['example.com:443', { host: 'example.com', port: 443, path: '/' }],
    ['EXAMPLE.com.:1', { host: 'example.com', port: 1, path: '/' }],
    ['[2001:DB8:0::1]:80', { host: '2001:db8::1', port: 80, path: '/' }],
    ['[::ffff:127.0.0.1]:80', { host: '::ffff:7f00:1', port: 80, path: '/' }],
    ['http://example.com', { host: 'example.com', port: 80, path: '/' }],
    ['HTTP://example.com:8080/a?b#c', { host: 'example.com', port: 8080, path: '/a?b#c' }],
    ['http://example.com?a=//evil.com', { host: 'example.com', port: 80, path: '/?a=//evil.com' }],
    ['http://1.2.3.4/', { host: '1.2.3.4', port: 80, path: '/' }],
  ])('%s', (target, parsed) => {
    expect(hostOf(target)).toEqual(parsed);
  });

  test.each([
    ...[
      '',
      '/',
      '*',
      'example.com',
      'example.com:',
      'example.com:0',
      'example.com:65536',
      'example.com:+80',
      'example.com:080000',
    ],
    ...[
      'a.com:80/path',
      'a.com:80:80',
      'user@a.com:80',
      'http://user:secret@a.com/',
      'http://a.com@evil.com/',
      'http://a.com\\@evil.com/',
    ],
    ...[
      'https://a.com/',
      'ftp://a.com/',
      'http:///a.com',
      'http://',
      'http://a.com%2eevil.com/',
      'evil.com\0.a.com:80',
      'a.com\n:80',
    ],
    ...[
      'a\u3002com:80',
      '\u212aelvin.com:80',
      '127.1:80',
      '0x7f000001:80',
      '2130706433:80',
      '1.2.3.4.:x',
      '[::1%lo]:80',
      '[::1:80',
      '::1:80',
    ],
  ])('%j could be read in more than one way, or not at all', (target) => {
    expect(hostOf(target)).toBeUndefined();
  });

  test('SOCKS gives the host alone', () => {
    expect(parseHost('Example.com.')).toBe('example.com');
    expect(parseHost('2001:0db8:0000:0000:0000:0000:0000:0001')).toBe('2001:db8::1');
    expect(['a b', '', '127.1', 'a.com\0', ':', 'a:1'].map(parseHost)).toEqual(Array(6).fill(undefined));
  });
});

test('a * stands for the names below, not for the domain, and not for a part of a name', () => {
  const fits = (host: string) => matchesHost(['*.example.com', 'one.org', '[2001:db8::1]', '1.2.3.4'], host);
  expect(
    ['a.example.com', 'a.b.example.com', 'one.org', '2001:db8::1', '1.2.3.4'].filter((host) => !fits(host)),
  ).toEqual([]);
  const others = [
    'example.com',
    'evilexample.com',
    'a.example.com.evil.org',
    'a.one.org',
    'one.or',
    '2001:db8::2',
    '1.2.3.5',
  ];
  expect(others.filter(fits)).toEqual([]);
});

describe('whatever the trick', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
  const trick = fc.constantFrom(
    ...[
      '',
      '.',
      '..',
      '\0',
      '%00',
      '\n',
      '\r\n',
      ' ',
      '\t',
      '@',
      ':',
      ':80',
      '/',
      '\\',
      '#',
      '?',
      '%2e',
      '\u3002',
      '\uff0e',
    ],
    ...[
      '\u200b',
      '\u202e',
      '\u2066',
      '\ufeff',
      '\u00ad',
      '\u0130',
      '\u212a',
      '*',
      '*.',
      '-',
      '_',
      'a'.repeat(300),
      '0x7f.1',
      '[',
      ']',
    ],
  );
  const part = fc.oneof(trick, label, name, fc.string({ unit: 'grapheme', maxLength: 4 }));
  const parts = fc.array(part, { maxLength: 3 }).map((all) => all.join(''));
  const nothing = fc.constant('');
  /** Around the listed name, in one of its spellings: something before it, mostly with a dot, and rarely something behind. */
  const hostile = fc
    .record({ allowed: name, isWildcard: fc.boolean() })
    .chain(({ allowed, isWildcard }) =>
      fc
        .tuple(
          fc.oneof(nothing, parts),
          fc.constantFrom('.', '.', '', '-', '%2e', '\u3002'),
          fc.constantFrom(
            allowed,
            allowed.toUpperCase(),
            allowed.replace('k', '\u212a'),
            allowed.replace('.', '\uff0e'),
          ),
          fc.oneof({ weight: 3, arbitrary: nothing }, fc.constant('.'), parts),
        )
        .map((pieces) => ({ allowed, isWildcard, text: pieces.join('') })),
    );

  test('a host that is let through is the listed one or, for a *, below it; and it is plain', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom('socks', 'connect', 'http'), ({ allowed, isWildcard, text }, face) => {
        const host =
          face === 'socks' ? parseHost(text) : hostOf(face === 'connect' ? `${text}:443` : `http://${text}/`)?.host;
        if (host === undefined || !matchesHost([isWildcard ? `*.${allowed}` : allowed], host)) return;
        expect(host).toMatch(/^[a-z0-9.-]{1,253}$/);
        // Told by labels from the end, not by comparing texts.
        const labels = host.split('.').reverse();
        const listed = allowed.split('.').reverse();
        expect(labels.slice(0, listed.length)).toEqual(listed);
        expect(labels.length - listed.length).toSatisfy((more: number) => (isWildcard ? more > 0 : more === 0));
        expect(labels).not.toContain('');
        // What the client wrote is that host, in another case or with a last dot at most.
        const asked = text.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
        expect(asked).toContain(host);
      }),
      { numRuns: 5_000 },
    );
  });

  test('a plain host below the listed one is let through', () => {
    fc.assert(
      fc.property(name, name, (below, allowed) => {
        const host = hostOf(`${below.toUpperCase()}.${allowed}.:443`)?.host ?? '';
        expect(matchesHost([`*.${allowed}`], host)).toBe(true);
        expect(matchesHost([allowed], host)).toBe(false);
      }),
    );
  });

  test('a pattern, once parsed, is parsed to itself', () => {
    fc.assert(
      fc.property(hostile, ({ text }) => {
        const parsed = parseHostPattern(text);
        if ('pattern' in parsed) expect(parseHostPattern(parsed.pattern)).toEqual(parsed);
      }),
      { numRuns: 2_000 },
    );
  });

  test('what is shown of a host can do nothing to a terminal or a list', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        expect(shownHost(text)).toMatch(/^[a-z0-9.:[\]_\ufffd-]{0,253}$/);
      }),
    );
  });
});
