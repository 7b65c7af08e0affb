/** The user's editor as the server calls it: nothing here rejects, and no answer is waited for without an end. */
import { CancellationTokenSource, ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { oneLine } from './one-line.ts';

/**
 * Editors answer null, `{}`, an error or nothing at all to what they do not know: none of these is a yes. `by`: whose
 * word `reason` is, the editor's or ours, who have waited long enough or have lost the connection.
 */
export type Reply = { answered: true; result: unknown } | { answered: false; by: 'editor' | 'us'; reason: string };

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
    // A connection that is closing has nobody left to tell; one that is closed throws at once.
    new Promise((resolve) => resolve(connection.sendNotification(method, params))).catch(() => {});
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
          settle({ answered: false, by: 'us', reason: 'withdrawn' });
        };
        const timer = setTimeout(
          () => settle({ answered: false, by: 'us', reason: `no answer in ${timeoutMs} ms` }),
          timeoutMs,
        );
        timer.unref();
        if (signal?.aborted) {
          withdraw();
          return;
        }
        signal?.addEventListener('abort', withdraw);
        new Promise((answer) => answer(connection.sendRequest(method, params, source.token))).then(
          (result) => settle({ answered: true, result }),
          (error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error);
            const isAnswer = error instanceof ResponseError && error.code !== ErrorCodes.PendingResponseRejected;
            settle({ answered: false, by: isAnswer ? 'editor' : 'us', reason });
          },
        );
      });
    },
    show: (severity, message) =>
      notify('window/showMessage', { type: severities[severity], message: oneLine(message) }),
    log: (severity, message) => notify('window/logMessage', { type: severities[severity], message }),
  };
}
