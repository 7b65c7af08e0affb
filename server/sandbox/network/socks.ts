/** The SOCKS5 face of the proxy: CONNECT to a name or an address, without a password (RFC 1928). */
import type { Duplex } from 'node:stream';
import { Socks5Server } from '@pondwader/socks5-server';
import { parseHost } from '../../protocol/hosts.ts';
import type { Gate, Passage } from './gate.ts';
import { tunnel } from './tunnel.ts';

type Failure = Extract<Passage, { kind: 'failed' }>['reason'];

const statuses = {
  notFound: 'HOST_UNREACHABLE',
  unreachable: 'HOST_UNREACHABLE',
  timeout: 'TTL_EXPIRED',
  refusedThere: 'CONNECTION_REFUSED',
  busy: 'GENERAL_FAILURE',
} as const satisfies Record<Failure, string>;

/** The library speaks with the client; it listens on nothing and dials nothing. */
export function socksFace(gate: Gate): (socket: Duplex) => void {
  const passages = new WeakMap<Duplex, Passage>();
  /** A client that ends before it has said all; afterwards it may end its side and still be answered. */
  const gone = function (this: Duplex) {
    this.destroy();
  };
  const server = new Socks5Server();
  // Decided here, where the library has paused the client, so that nothing it sends early is lost.
  server.setRulesetValidator(async ({ socket, destAddress, destPort }) => {
    socket.off('end', gone);
    const host = parseHost(destAddress);
    const passage =
      host === undefined || destPort === 0
        ? gate.refuse(destAddress, 'no host')
        : await gate.open({ host, port: destPort });
    passages.set(socket, passage);
    return passage.kind !== 'refused';
  });
  server.setConnectionHandler(({ socket }, sendStatus) => {
    const passage = passages.get(socket);
    if (passage?.kind === 'open') {
      if (!socket.destroyed) sendStatus('REQUEST_GRANTED');
      tunnel(socket, passage.socket);
    } else {
      sendStatus(passage?.kind === 'failed' ? statuses[passage.reason] : 'CONNECTION_NOT_ALLOWED');
    }
  });
  return (socket) => void server._handleConnection(socket.on('end', gone));
}
