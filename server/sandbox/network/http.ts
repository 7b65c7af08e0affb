/** The HTTP face of the proxy: tunnels by CONNECT, and plain requests with an absolute address forwarded. */
import { request as httpRequest, type IncomingMessage, Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { hostOf } from '../../protocol/hosts.ts';
import type { Gate, Passage } from './gate.ts';
import { idleTimeoutMs, tunnel } from './tunnel.ts';

const headerBytesMax = 32 * 1024;

/** Between two neighbours only (RFC 9110, 7.6.1), and what is meant for a proxy. `host` is said anew. */
const hopByHop = /^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|host|proxy-.*)$/;

type Failure = Exclude<Passage, { kind: 'open' }>;

export function httpFace(gate: Gate): (socket: Socket) => void {
  const server = new Server({ maxHeaderSize: headerBytesMax, requireHostHeader: false, requestTimeout: 0 });
  server.timeout = idleTimeoutMs;
  // Node would begin any number of requests that a client sends on one connection without waiting.
  server.maxRequestsPerSocket = 1;
  server.on('connect', (request, socket, head) => void connect(gate, request, socket, head));
  server.on('request', (request, response) => void forward(gate, request, response));
  // It never listens itself: the proxy hands it the connections that are HTTP.
  return (socket) => void server.emit('connection', socket);
}

async function connect(gate: Gate, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  socket.on('error', () => {});
  const passage = await passageTo(gate, request.url ?? '', 'host:port');
  if (passage.kind !== 'open') {
    // What it has sent meanwhile is read: a socket closed over unread bytes would take the answer with it.
    socket.resume().end(answer(passage));
    return;
  }
  if (!socket.destroyed) {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    // Sent before it was allowed to.
    if (head.length > 0) passage.socket.write(head);
  }
  tunnel(socket, passage.socket);
}

async function forward(gate: Gate, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const stream of [request, response]) stream.on('error', () => {});
  const passage = await passageTo(gate, request.url ?? '', 'http://host/path');
  const target = hostOf(request.url ?? '');
  if (passage.kind !== 'open' || !target) {
    say(response, worded(passage));
    return;
  }
  const { socket } = passage;
  const fail = () => {
    socket.destroy();
    if (response.headersSent) response.destroy();
    else say(response, worded({ kind: 'failed', reason: 'unreachable', sentence: `${target.host} gave no answer.` }));
  };
  response.once('close', () => socket.destroy());
  if (response.destroyed) return fail();
  socket.setTimeout(idleTimeoutMs, fail);
  try {
    const name = target.host.includes(':') ? `[${target.host}]` : target.host;
    const onward = httpRequest({
      method: request.method,
      path: target.path,
      headers: [
        ...['Host', target.port === 80 ? name : `${name}:${target.port}`, 'Connection', 'close'],
        ...endToEnd(request.rawHeaders),
        // Its end is marked as the client marked it; without one there is no body.
        ...(request.headers['transfer-encoding'] === undefined ? [] : ['Transfer-Encoding', 'chunked']),
      ],
      maxHeaderSize: headerBytesMax,
      setHost: false,
      // Without an agent, or Node would open a connection of its own.
      createConnection: () => socket,
    });
    onward.once('response', (answered) => {
      try {
        response.sendDate = false;
        response.writeHead(answered.statusCode ?? 502, answered.statusMessage, endToEnd(answered.rawHeaders));
        pipeline(answered, response, (error) => error && fail());
      } catch {
        fail();
      }
    });
    // A server may answer without having read all; then it is the answer that counts.
    const failUnanswered = () => response.headersSent || fail();
    onward.on('error', failUnanswered);
    pipeline(request, onward, (error) => error && failUnanswered());
  } catch {
    // A path or header that Node would not send.
    fail();
  }
}

async function passageTo(gate: Gate, requestTarget: string, form: 'host:port' | 'http://host/path'): Promise<Passage> {
  const target = hostOf(requestTarget);
  const isAbsolute = /^http:\/\//i.test(requestTarget);
  if (!target || isAbsolute !== (form !== 'host:port')) {
    const [asked = ''] = requestTarget.replace(/^[a-z]+:\/\//i, '').split('/');
    // Without the user's name and password that may stand before it.
    return gate.refuse(
      asked.slice(asked.lastIndexOf('@') + 1),
      `This proxy was asked for something that is not ${form} with a host it can read.`,
    );
  }
  return gate.open(target);
}

/** Name and value in turn, as they came. */
function endToEnd(rawHeaders: readonly string[]): string[] {
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [{ name, value: rawHeaders[index + 1] ?? '' }] : [],
  );
  const named = pairs
    .filter(({ name }) => name.toLowerCase() === 'connection')
    .flatMap(({ value }) => value.toLowerCase().split(','))
    .map((name) => name.trim());
  return pairs
    .filter(({ name }) => !hopByHop.test(name.toLowerCase()) && !named.includes(name.toLowerCase()))
    .flatMap(({ name, value }) => [name, value]);
}

/** Some clients show only the reason beside the status. */
function worded(passage: Passage): { status: number; reason: string; sentence: string } {
  if (passage.kind === 'refused') {
    return { status: 403, reason: 'Refused by the sandbox', sentence: passage.sentence };
  }
  const status = passage.kind === 'failed' && passage.reason === 'timeout' ? 504 : 502;
  return { status, reason: STATUS_CODES[status] ?? '', sentence: passage.kind === 'failed' ? passage.sentence : '' };
}

/** What is left of the request is not waited for. */
function say(response: ServerResponse, { status, reason, sentence }: ReturnType<typeof worded>): void {
  const body = `${sentence}\n`;
  response.writeHead(status, reason, {
    'Content-Type': 'text/plain',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  });
  response.end(body);
}

function answer(passage: Failure): string {
  const { status, reason, sentence } = worded(passage);
  const body = `${sentence}\n`;
  return `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
