/** What a command wrote: its beginning and its end kept within a limit, the middle counted, UTF-8 never cut. */
import { StringDecoder } from 'node:string_decoder';

export class Output {
  readonly #bytesMax: number;
  readonly #onOutput: ((chunk: string) => void) | undefined;
  readonly #onBytes: ((chunk: Buffer) => void) | undefined;
  readonly #decoder = new StringDecoder('utf8');
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  /** Complete chunks of the end; together at most twice what is kept of it. */
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #bytes = 0;
  #liveBytes = 0;

  /** At most `bytesMax` bytes are kept, and given to `onOutput`, as they come; all of them to `onBytes`. */
  constructor(bytesMax: number, onOutput?: (chunk: string) => void, onBytes?: (chunk: Buffer) => void) {
    this.#bytesMax = Math.max(0, bytesMax);
    this.#onOutput = onOutput;
    this.#onBytes = onBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#publish(chunk);
    this.#onBytes?.(chunk);
    const room = this.#headMax - this.#headBytes;
    const head = chunk.subarray(0, room);
    if (head.length > 0) {
      this.#head.push(Buffer.from(head));
      this.#headBytes += head.length;
    }
    const rest = chunk.subarray(head.length);
    if (rest.length > 0) this.#keepTail(rest);
  }

  /** The end of the live output: a character cut by the limit or by the command is shown as what it is. */
  end(): void {
    const last = this.#decoder.end();
    if (last !== '') this.#onOutput?.(last);
  }

  text(): string {
    const tail = Buffer.concat(this.#tail).subarray(-this.#tailMax || undefined);
    const head = Buffer.concat(this.#head);
    const left = this.#bytes - head.length - tail.length;
    if (left === 0) return Buffer.concat([head, tail]).toString('utf8');
    const kept = { head: withoutCutEnd(head), tail: withoutCutStart(tail) };
    const leftOut = this.#bytes - kept.head.length - kept.tail.length;
    return `${kept.head.toString('utf8')}\n[… ${leftOut} bytes left out …]\n${kept.tail.toString('utf8')}`;
  }

  get #headMax(): number {
    return Math.ceil(this.#bytesMax / 2);
  }

  get #tailMax(): number {
    return Math.floor(this.#bytesMax / 2);
  }

  #publish(chunk: Buffer): void {
    const live = chunk.subarray(0, this.#bytesMax - this.#liveBytes);
    if (live.length === 0 || !this.#onOutput) return;
    this.#liveBytes += live.length;
    const text = this.#decoder.write(live);
    if (text !== '') this.#onOutput(text);
  }

  #keepTail(chunk: Buffer): void {
    const last = chunk.subarray(-this.#tailMax || chunk.length);
    if (this.#tailMax === 0) return;
    this.#tail.push(Buffer.from(last));
    this.#tailBytes += last.length;
    if (this.#tailBytes < 2 * this.#tailMax && this.#tail.length < 1024) return;
    const kept = Buffer.concat(this.#tail).subarray(-this.#tailMax);
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

function withoutCutStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

function withoutCutEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
