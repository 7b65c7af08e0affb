/** A chain that the launcher has started, as streams of this process. */
import { Duplex } from 'node:stream';
import type { Launched } from './launch.ts';
import type { Answer, Asked } from './launcher-messages.ts';

export class RemoteChain {
  readonly started: Promise<Launched>;
  readonly #status: Duplex;
  readonly #lifeline: Duplex;
  readonly #exit = Promise.withResolvers<number | string>();
  readonly #isStarted = Promise.withResolvers<Launched>();

  constructor(id: number, ask: (asked: Asked) => void) {
    this.#status = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      destroy(error, done) {
        ask({ id, what: 'forget' });
        done(error);
      },
    });
    this.#lifeline = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        ask({ id, what: 'letOn', chunk });
        done();
      },
      final(done) {
        ask({ id, what: 'endLifeline' });
        done();
      },
    });
    this.started = this.#isStarted.promise;
  }

  hear(answer: Answer): void {
    if (answer.what === 'started') {
      const [status, lifeline, exit] = [this.#status, this.#lifeline, this.#exit.promise];
      this.#isStarted.resolve({ pid: answer.pid, status, lifeline, exit });
    } else if (answer.what === 'exit') this.#exit.resolve(answer.outcome);
    else if (answer.what === 'status') this.#status.push(answer.chunk);
    else if (answer.what === 'end') endOf(answer.pipe === 'status' ? this.#status : this.#lifeline);
  }
}

const ended = new WeakSet<Duplex>();

/** Told twice of a pipe that has ended and is closed then. */
function endOf(stream: Duplex): void {
  if (ended.has(stream) || stream.destroyed) return;
  ended.add(stream);
  stream.push(null);
}
