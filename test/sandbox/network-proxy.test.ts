/** What the proxy of a command lets through, and what it refuses, in both of its languages. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  addressed,
  allOf,
  ask,
  askSocks,
  client,
  echoServer,
  greeting,
  listening,
  named,
  place,
  webServer,
} from './proxy-client.ts';
import { somewhere } from './stand-in.ts';

describe('HTTP', () => {
  test('a plain request is forwarded with the host it was checked by, and without what is for neighbours', async () => {
    const web = await webServer();
    const { proxy, dialled } = await place(['allowed.test'], web);
    const answer = await ask(
      proxy,
      'POST http://ALLOWED.test./path?q HTTP/1.1\r\nHost: evil.test\r\nProxy-Authorization: secret\r\nConnection: x-mine, close\r\n' +
        'X-Mine: 1\r\nX-Other: 2\r\nTE: trailers\r\nContent-Length: 4\r\n\r\nbody',
    );
    expect(web.requests).toEqual([
      'POST /path?q\nHost: allowed.test\nConnection: close\nX-Other: 2\nContent-Length: 4\n\nbody',
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n(.*\r\n)*X-Answer: yes\r\n(.*\r\n)*\r\nhello\n$/);
    expect(answer).not.toContain('Proxy-Authenticate');
    expect(dialled).toEqual([`${somewhere} 80`]);
  });

  test('it may come a byte at a time, and with a body of unknown length', async () => {
    const web = await webServer();
    const { proxy } = await place(['allowed.test'], web);
    const socket = client(proxy);
    for (const byte of 'PUT http://allowed.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n') {
      socket.write(byte);
      await delay(0);
    }
    expect((await allOf(socket)).toString()).toContain('hello');
    expect(web.requests[0]).toMatch(/^PUT \/\n(.*\n)*\nok$/);
  });

  test('an answer that comes before the request has ended comes through; none at all is said so', async () => {
    const early = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 413 Too Large\r\n\r\nno'));
    });
    const { proxy } = await place(['allowed.test'], { port: await listening(early) });
    const upload = 'POST http://allowed.test/ HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc';
    expect(await ask(proxy, upload)).toMatch(/^HTTP\/1.1 413 Too Large\r\n(.*\r\n)*\r\n.*no/s);
    const silent = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end()));
    const other = await place(['allowed.test'], { port: await listening(silent) });
    expect(await ask(other.proxy, 'GET http://allowed.test/ HTTP/1.1\r\n\r\n')).toMatch(
      /^HTTP\/1.1 502 Bad Gateway\r\n(.*\r\n)*\r\nallowed.test gave no answer.\n$/,
    );
  });

  test('requests that are sent without waiting do not all begin', async () => {
    const web = await webServer();
    const { proxy, dialled } = await place(['allowed.test'], web);
    const socket = client(proxy);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write('GET http://allowed.test/ HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(500));
    while (!answer.includes(' 503 ')) await once(socket, 'data');
    expect(answer).toContain('hello');
    expect(dialled).toHaveLength(1);
  });

  test('a tunnel carries bytes both ways, also what was sent too early, and ends by halves', async () => {
    const echo = await echoServer();
    const { proxy } = await place(['allowed.test'], echo);
    const socket = client(proxy);
    socket.write('CONNECT allowed.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\nearly ');
    await once(socket, 'readable');
    const sent = randomBytes(3_000_000);
    socket.end(sent);
    const answer = await allOf(socket);
    const head = 'HTTP/1.1 200 Connection established\r\n\r\nearly ';
    expect(answer.subarray(0, head.length).toString()).toBe(head);
    expect(answer.subarray(head.length).equals(sent)).toBe(true);
    while (echo.sockets.size > 0) await delay(2);
  });

  test('a host that is not listed is refused with the way to ask for it, and never looked up', async () => {
    const { proxy, dialled, resolved } = await place(['allowed.test', '*.wild.test']);
    const tunnel = await ask(proxy, 'CONNECT Evil.test:443 HTTP/1.1\r\n\r\n');
    expect(tunnel).toMatch(/^HTTP\/1.1 403 Refused by the sandbox\r\n/);
    expect(tunnel).toContain('\r\n\r\nevil.test is not among the allowed hosts.');
    expect(tunnel).toContain('parameter network: {"hosts": ["evil.test"], ');
    const plain = await ask(proxy, 'GET http://wild.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n');
    expect(plain).toMatch(/^HTTP\/1.1 403 (.*\r\n)*\r\nwild.test is not among/);
    await ask(proxy, 'CONNECT evil.test:80 HTTP/1.1\r\n\r\n');
    expect(proxy.refusedHosts).toEqual(['evil.test', 'wild.test']);
    expect([...dialled, ...resolved]).toEqual([]);
  });

  test.each([
    ['GET / HTTP/1.1\r\nHost: allowed.test', []],
    ['CONNECT allowed.test HTTP/1.1', ['allowed.test']],
    ['CONNECT http://allowed.test:80 HTTP/1.1', ['allowed.test:80']],
    ['GET https://allowed.test/ HTTP/1.1', ['allowed.test']],
    ['GET http://user:secret@allowed.test/ HTTP/1.1', ['allowed.test']],
    ['CONNECT evil.test%00.allowed.test:443 HTTP/1.1', ['evil.test\ufffd00.allowed.test:443']],
    ['CONNECT 0x7f.1:80 HTTP/1.1', ['0x7f.1:80']],
  ])('%s is nothing that it does', async (head, refused) => {
    const { proxy, dialled } = await place(['allowed.test', '*.allowed.test']);
    expect(await ask(proxy, `${head}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 403 /);
    expect(proxy.refusedHosts).toEqual(refused);
    expect(dialled).toEqual([]);
  });

  test.each([
    'CONNECT evil.test\0.allowed.test:443 HTTP/1.1\r\n\r\n',
    'GET http://a\u3002b/ HTTP/1.1\r\n\r\n',
    '\x04\x01\0P',
  ])('%j is not HTTP', async (text) => {
    const { proxy, dialled } = await place(['*.allowed.test']);
    expect(await ask(proxy, text)).toMatch(/^HTTP\/1.1 400 |^HTTP\/1.1 403 /);
    expect(dialled).toEqual([]);
  });

  test('a head beyond its limit ends the connection, and only that', async () => {
    const web = await webServer();
    const { proxy } = await place(['allowed.test'], web);
    const head = `GET http://allowed.test/ HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await ask(proxy, head)).toMatch(/^HTTP\/1.1 431 /);
    expect(await ask(proxy, 'GET http://allowed.test/ HTTP/1.0\r\n\r\n')).toContain('hello');
  });
});

describe('SOCKS5', () => {
  test('a tunnel by name, byte by byte, with bytes that follow at once', async () => {
    const echo = await echoServer();
    const { proxy, dialled } = await place(['*.wild.test'], echo);
    const socket = client(proxy);
    for (const byte of Buffer.concat([greeting, named('A.wild.test.', 443)])) {
      socket.write(Buffer.from([byte]));
      await delay(0);
    }
    socket.end('early');
    expect((await allOf(socket)).toString('latin1')).toBe('\x05\0\x05\0\0\x01\0\0\0\0\0\0early');
    expect(dialled).toEqual([`${somewhere} 443`]);
  });

  test.each([
    ['a name that is not listed', named('evil.test', 80), '0502', ['evil.test']],
    ['a name with a NUL', named('evil.test\0.wild.test', 80), '0502', ['evil.test\ufffd.wild.test']],
    ['a name with a sign', named('evil.test%.wild.test', 80), '0502', ['evil.test\ufffd.wild.test']],
    ['an address that is not listed', addressed(1, [93, 184, 216, 35], 80), '0502', ['93.184.216.35']],
    ['a listed address that is not public', addressed(1, [127, 0, 0, 1], 80), '0502', ['127.0.0.1']],
    [
      'the same, mapped',
      addressed(4, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1], 80),
      '0502',
      ['[::ffff:7f00:1]'],
    ],
    ['an address as a name', named('2130706433', 80), '0502', ['2130706433']],
    ['no port', named('a.wild.test', 0), '0502', ['a.wild.test']],
    ['BIND', named('a.wild.test', 80, 2), '0507', []],
    ['UDP', named('a.wild.test', 80, 3), '0507', []],
    ['a name without an address', named('none.wild.test', 80), '0504', []],
    ['a port that nobody listens on', named('a.wild.test', 81), '0505', []],
  ])('%s', async (_, request, status, refused) => {
    const { proxy } = await place(['*.wild.test', '127.0.0.1', '[::ffff:7f00:1]']);
    expect(await askSocks(proxy, request)).toBe(`0500 ${status}`);
    expect(proxy.refusedHosts).toEqual(refused);
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1'],
    ['169.254.169.254'],
    ['10.1.2.3'],
    ['::ffff:127.0.0.1'],
    ['fd00:ec2::254'],
    ['64:ff9b::7f00:1'],
    // One that is public does not help.
    [somewhere, '192.168.1.1'],
    ['not an address'],
  ])('a listed name that leads to %s %s is refused and nothing is dialled', async (...addresses) => {
    const { proxy, dialled } = await place(['allowed.test'], { resolve: async () => addresses });
    expect(await ask(proxy, 'CONNECT allowed.test:80 HTTP/1.1\r\n\r\n')).toContain('which is no public address');
    expect(await askSocks(proxy, named('allowed.test', 80))).toBe('0500 0502');
    expect(proxy.refusedHosts).toEqual(['allowed.test']);
    expect(dialled).toEqual([]);
  });

  test('this machine itself is not reached by its public address', async () => {
    const { proxy, dialled } = await place(['allowed.test'], { own: () => [somewhere] });
    expect(await ask(proxy, 'CONNECT allowed.test:80 HTTP/1.1\r\n\r\n')).toContain('(own)');
    expect(dialled).toEqual([]);
  });

  test('a name is looked up once a connection, and what was checked is dialled: a second answer changes nothing', async () => {
    const echo = await echoServer();
    const answers = [[somewhere], ['127.0.0.1']];
    const { proxy, dialled, resolved } = await place(['allowed.test'], {
      ...echo,
      resolve: async () => answers.shift() ?? [],
    });
    const socket = client(proxy);
    socket.end('CONNECT allowed.test:80 HTTP/1.1\r\n\r\n');
    expect((await allOf(socket)).toString()).toMatch(/ 200 /);
    expect({ dialled, resolved }).toEqual({ dialled: [`${somewhere} 80`], resolved: ['allowed.test'] });
    expect(await ask(proxy, 'CONNECT allowed.test:80 HTTP/1.1\r\n\r\n')).toMatch(/ 403 /);
  });

  test('of several the next is tried where one does not answer', async () => {
    const echo = await echoServer();
    const { proxy, dialled } = await place(['allowed.test'], {
      resolve: async () => ['2606:4700::1', somewhere],
      dial: (address) => connect(address === somewhere ? echo.port : 1, '127.0.0.1'),
    });
    const socket = client(proxy);
    socket.end('CONNECT allowed.test:80 HTTP/1.1\r\n\r\n');
    expect((await allOf(socket)).toString()).toMatch(/ 200 /);
    expect(dialled).toEqual(['2606:4700::1 80', `${somewhere} 80`]);
  });
});
