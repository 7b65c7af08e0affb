/**
 * Messages to one editor, each written as a whole and those of one moment together: a write is a system call, and wakes up
 * who reads. What waits for an editor that does not read, suspended by its user, say, has an end.
 */
import type { Writable } from 'node:stream';
import { AbstractMessageWriter, Message, type MessageWriter } from 'vscode-jsonrpc/node';

/** What is told while it happens, and never again, is not told to an editor that is behind by so much. */
export const liveBytesMax = 1024 ** 2;
/** An editor for which more is waiting is served no longer. */
export const waitingBytesMax = 32 * 1024 ** 2;

export class Outgoing extends AbstractMessageWriter implements MessageWriter {
  readonly #output: Writable;
  readonly #overflowed: () => void;
  #together = '';
  #isEnded = false;

  /** `overflowed`: called once, when the editor has not read for too long; nothing is written any more. */
  constructor(output: Writable, overflowed: () => void) {
    super();
    this.#output = output;
    this.#overflowed = overflowed;
    output.on('error', (error) => this.fireError(error));
    output.on('close', () => this.fireClose());
  }

  async write(message: Message): Promise<void> {
    const waitingBytes = this.#output.writableLength + this.#together.length;
    if (this.#isEnded || (waitingBytes > liveBytesMax && isLive(message))) return;
    const body = JSON.stringify(message);
    if (this.#together === '') process.nextTick(() => this.#flush());
    this.#together += `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    if (waitingBytes <= waitingBytesMax) return;
    this.#isEnded = true;
    this.#together = '';
    this.#overflowed();
  }

  end(): void {
    this.#flush();
  }

  override dispose(): void {
    this.#flush();
    this.#isEnded = true;
    super.dispose();
  }

  #flush(): void {
    const text = this.#together;
    this.#together = '';
    if (text !== '' && !this.#isEnded && this.#output.writable) this.#output.write(text);
  }
}

/** A piece of an item that comes whole when it is completed. */
function isLive(message: Message): boolean {
  if (!Message.isNotification(message) || message.method !== '$/codex/event') return false;
  const { params } = message;
  return params !== undefined && 'event' in params && typeOf(params.event) === 'itemDelta';
}

const typeOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
