/** A proxy in this process, spoken to byte by byte over its socket; real servers on loopback stand for the internet. */
import { once } from 'node:events';
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { afterEach } from 'vitest';
import type { Internet } from '../../server/sandbox/network/internet.ts';
import { type HostProxy, openProxy } from '../../server/sandbox/network/proxy.ts';
import { somewhere, standIn } from './stand-in.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Says what it was asked, word for word. */
export async function webServer(): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const headers = request.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\n`)).join('');
      requests.push(`${request.method} ${request.url}\n${headers}\n${body}`);
      response.setHeader('Proxy-Authenticate', 'x').setHeader('X-Answer', 'yes').end('hello\n');
    });
  });
  return { port: await listening(server), requests };
}

/** Sends back what it gets, until the other side has ended. */
export async function echoServer(): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  return { port: await listening(server), sockets };
}

export type Place = { proxy: HostProxy; dialled: string[]; resolved: string[] };

export async function place(patterns: string[], internet: Partial<Internet> & { port?: number } = {}): Promise<Place> {
  const dialled: string[] = [];
  const resolved: string[] = [];
  const names = { 'allowed.test': [somewhere], 'a.wild.test': [somewhere] };
  const usual = standIn({ names, ports: { 80: internet.port ?? 1, 443: internet.port ?? 1 } });
  const proxy = await openProxy({
    patterns,
    internet: {
      ...usual,
      ...internet,
      resolve: (host) => {
        resolved.push(host);
        return (internet.resolve ?? usual.resolve)(host);
      },
      dial: (address, port) => {
        dialled.push(`${address} ${port}`);
        return (internet.dial ?? usual.dial)(address, port);
      },
    },
  });
  cleanups.push(() => proxy.close());
  keepName(proxy);
  return { proxy, dialled, resolved };
}

/** The socket loses its name with its first client, and is bound in the sandbox then. Here a second name does that. */
export const otherNames = new Map<HostProxy, string>();
function keepName(proxy: HostProxy): void {
  const folder = mkdtempSync(`${dirname(dirname(proxy.socket))}/codex-lsp-test-`);
  linkSync(proxy.socket, `${folder}/s`);
  otherNames.set(proxy, `${folder}/s`);
  cleanups.push(() => rmSync(folder, { recursive: true }));
}

export function client(proxy: HostProxy): Socket {
  const socket = connect({ path: otherNames.get(proxy) ?? '', allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  return socket.on('error', () => {});
}

export async function allOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  if (!socket.destroyed) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return Buffer.concat(chunks);
}

export const ask = async (proxy: HostProxy, text: string): Promise<string> => {
  const socket = client(proxy);
  socket.write(text);
  return (await allOf(socket)).toString('latin1');
};

export const greeting = Buffer.from([5, 1, 0]);
export const named = (host: string, port: number, command = 1) =>
  Buffer.concat([
    Buffer.from([5, command, 0, 3, Buffer.byteLength(host)]),
    Buffer.from(host),
    Buffer.from([port >> 8, port & 0xff]),
  ]);
export const addressed = (kind: 1 | 4, bytes: number[], port: number) =>
  Buffer.from([5, 1, 0, kind, ...bytes, port >> 8, port & 0xff]);

/** As hexadecimal: the answer to the greeting, then to the request. */
export const askSocks = async (proxy: HostProxy, request: Buffer): Promise<string> => {
  const socket = client(proxy);
  socket.write(greeting);
  await once(socket, 'readable');
  const first = socket.read() as Buffer;
  socket.end(request);
  return `${first.toString('hex')} ${(await allOf(socket)).toString('hex').slice(0, 4)}`;
};
