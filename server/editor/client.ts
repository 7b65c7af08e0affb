/** The user's editor as the server calls it: nothing here rejects, and no answer is waited for without an end. */
import { CancellationTokenSource, type MessageConnection } from 'vscode-jsonrpc/node';
import { oneLine } from './one-line.ts';

/** Editors answer null, `{}`, an error or nothing at all to what they do not know: none of these is a yes. */
export type Reply = { answered: true; result: unknown } | { answered: false; reason: string };

export type Severity = 'error' | 'warning' | 'info' | 'log';
const severities: Readonly<Record<Severity, number>> = { error: 1, warning: 2, info: 3, log: 4 };

export type Client = {
  notify(method: string, params: object): void;
  /** Aborting the signal withdraws the request. */
  request(method: string, params: object, limits: { timeoutMs: number; signal?: AbortSignal }): Promise<Reply>;
  /** One line for the user to read. */
  show(severity: Severity, message: string): void;
  /** For the editor's log, rarely. */
  log(severity: Severity, message: string): void;
};

export function createClient(connection: MessageConnection): Client {
  const notify = (method: string, params: object): void => {
    // A connection that is closing has nobody left to tell.
    connection.sendNotification(method, params).catch(() => {});
  };
  return {
    notify,
    request(method, params, { timeoutMs, signal }) {
      return new Promise((resolve) => {
        const source = new CancellationTokenSource();
        const settle = (reply: Reply): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', withdraw);
          resolve(reply);
        };
        const withdraw = (): void => {
          source.cancel();
          settle({ answered: false, reason: 'withdrawn' });
        };
        const timer = setTimeout(() => settle({ answered: false, reason: `no answer in ${timeoutMs} ms` }), timeoutMs);
        timer.unref();
        if (signal?.aborted) {
          withdraw();
          return;
        }
        signal?.addEventListener('abort', withdraw);
        connection.sendRequest(method, params, source.token).then(
          (result: unknown) => settle({ answered: true, result }),
          (error: unknown) =>
            settle({ answered: false, reason: error instanceof Error ? error.message : String(error) }),
        );
      });
    },
    show: (severity, message) =>
      notify('window/showMessage', { type: severities[severity], message: oneLine(message) }),
    log: (severity, message) => notify('window/logMessage', { type: severities[severity], message }),
  };
}
