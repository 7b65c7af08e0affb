/** The gate of one command to the internet: it decides about a host once, and dials the very address it has checked. */
import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { type HostTarget, matchesHost, shownHost } from '../../protocol/hosts.ts';
import { addressRefusal } from './address.ts';
import type { Internet } from './internet.ts';

const connectTimeoutMs = 20_000;
/** Of one attempt: a name often has an address of a kind that is not routed here. */
const attemptTimeoutMs = 8_000;
const addressesMax = 32;
const lookupsAtOnceMax = 32;
/** Being looked up or dialled: a client that is gone again does not end that. */
const underwayMax = 128;
const refusedHostsMax = 100;

/** `sentence`: for the client, one line of ASCII. */
export type Passage =
  | { kind: 'open'; socket: Socket }
  | { kind: 'refused'; sentence: string }
  | { kind: 'failed'; reason: 'notFound' | 'refusedThere' | 'unreachable' | 'timeout' | 'busy'; sentence: string };

type Failed = Extract<Passage, { kind: 'failed' }>;

export class Gate {
  readonly #patterns: readonly string[];
  readonly #internet: Internet;
  readonly #refused = new Set<string>();
  readonly #open = new Set<Socket>();
  /** Clients that ask for one name at the same time share the answer. */
  readonly #lookups = new Map<string, Promise<string[]>>();
  #underway = 0;
  #isClosed = false;

  /** `patterns` as `parseHostPattern` gives them. */
  constructor(patterns: readonly string[], internet: Internet) {
    this.#patterns = patterns;
    this.#internet = internet;
  }

  /** Each once, as it can be shown. */
  get refusedHosts(): string[] {
    return [...this.#refused];
  }

  /** Never rejects. An open socket is destroyed with the gate, at the latest. */
  async open(target: HostTarget): Promise<Passage> {
    const name = target.host.includes(':') ? `[${target.host}]` : target.host;
    if (!matchesHost(this.#patterns, target.host)) return this.refuse(name, notAllowed(name));
    if (this.#underway >= underwayMax) return failed('busy', 'Too many connections are being opened at once.');
    this.#underway++;
    try {
      return await this.#pass(name, target);
    } catch (error) {
      return explain(error, name, target.port);
    } finally {
      this.#underway--;
    }
  }

  async #pass(name: string, { host, port }: HostTarget): Promise<Passage> {
    const addresses = isIP(host) ? [host] : await this.#resolve(host);
    if (!Array.isArray(addresses)) return addresses;
    const own = this.#internet.own();
    for (const address of addresses) {
      const refusal = own.includes(address) ? 'own' : addressRefusal(address);
      // One is enough: what a name leads to is said by whoever owns it, and may be another thing the next time.
      if (refusal !== undefined) {
        return this.refuse(
          name,
          `${name} is an allowed host, but it leads to ${shownHost(address)}, which is no public address (${refusal}). It can not be reached from the sandbox.`,
        );
      }
    }
    return this.#dial(name, addresses, port);
  }

  /** `asked`: as the client wrote it. */
  refuse(asked: string, sentence: string): Passage {
    const shown = shownHost(asked);
    if (shown !== '' && this.#refused.size < refusedHostsMax) this.#refused.add(shown);
    return { kind: 'refused', sentence };
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open) socket.destroy();
  }

  async #resolve(host: string): Promise<string[] | Failed> {
    let looking = this.#lookups.get(host);
    if (!looking) {
      if (this.#lookups.size >= lookupsAtOnceMax) return failed('busy', 'Too many names are being looked up at once.');
      looking = this.#internet.resolve(host).finally(() => this.#lookups.delete(host));
      // Whoever waited for it may be gone.
      looking.catch(() => {});
      this.#lookups.set(host, looking);
    }
    const addresses = await within(looking, connectTimeoutMs).catch(() => []);
    if (addresses.length > 0 && addresses.length <= addressesMax) return addresses;
    return failed('notFound', `${host} is an allowed host, but it has no address.`);
  }

  async #dial(name: string, addresses: readonly string[], port: number): Promise<Passage> {
    const deadline = performance.now() + connectTimeoutMs;
    let last = failed('unreachable', `${name} can't be reached.`);
    for (const address of addresses) {
      const leftMs = Math.min(attemptTimeoutMs, deadline - performance.now());
      if (this.#isClosed || leftMs <= 0) break;
      const socket = this.#internet.dial(address, port);
      this.#open.add(socket);
      socket.on('error', () => {}).once('close', () => this.#open.delete(socket));
      try {
        await once(socket, 'connect', { signal: AbortSignal.timeout(leftMs) });
        if (!this.#isClosed) return { kind: 'open', socket };
      } catch (error) {
        last = explain(error, name, port);
      }
      socket.destroy();
    }
    return last;
  }
}

const notAllowed = (name: string): string =>
  `${name} is not among the allowed hosts. To ask the user for it, call the shell tool again with its parameter network: {"hosts": ["${name}"], "reason": "..."}.`;

const failed = (reason: Failed['reason'], sentence: string): Failed => ({ kind: 'failed', reason, sentence });

function explain(error: unknown, name: string, port: number): Failed {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return failed('refusedThere', `${name} refuses connections on port ${port}.`);
  if (code === 'ABORT_ERR' || code === 'ETIMEDOUT')
    return failed('timeout', `${name} does not answer on port ${port}.`);
  return failed('unreachable', `${name} can't be reached on port ${port}.`);
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('timeout')), timeoutMs).unref();
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
