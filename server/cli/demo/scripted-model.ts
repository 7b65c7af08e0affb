/** A model that follows a script, served over real HTTP on loopback: the n-th request gets the n-th answer. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Answer, eventText, responseEvents } from './scripted-answers.ts';

/** A request as it came: `body` is the parsed JSON, or undefined where it is none. */
export type ModelCall = { method: string; path: string; headers: IncomingHttpHeaders; text: string; body: unknown };

export type ModelServer = {
  /** For `OPENAI_BASE_URL`: `http://127.0.0.1:PORT/v1`. */
  baseURL: string;
  /** Ends it, and every connection that is still open. */
  close(): Promise<void>;
};

export type ScriptedModel = ModelServer & { requests: readonly ModelCall[] };

const bodyBytesMax = 64 * 1024 * 1024;

/** Starts it; a request beyond the script is refused (400) with a sentence. */
export async function startScriptedModel(answers: readonly Answer[]): Promise<ScriptedModel> {
  const requests: ModelCall[] = [];
  const nextId = responseIds();
  const server = await serveModel(async (call, response) => {
    requests.push(call);
    const answer = answers[requests.length - 1];
    if (!answer)
      return refuse(response, `The script has ${answers.length} answers; this is request ${requests.length}.`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of responseEvents(answer, nextId(), tokensOf(call))) response.write(eventText(event));
    response.end();
  });
  return { ...server, requests };
}

/** Serves any behaviour; `handle` ends the response itself. What it throws becomes a 500. */
export async function serveModel(
  handle: (call: ModelCall, response: ServerResponse) => Promise<void> | void,
): Promise<ModelServer> {
  const server = createServer((request, response) => {
    receive(request)
      .then((call) => handle(call, response))
      .catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: String(error) } }));
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The scripted model has no port.');
  return {
    baseURL: `http://127.0.0.1:${address.port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Ids that differ from one response to the next and from one server to the next, as a resumed thread needs. */
export function responseIds(): () => string {
  const run = randomBytes(4).toString('hex');
  let count = 0;
  return () => `${run}_${++count}`;
}

/** As good an estimate as the usage of a script needs. */
export const tokensOf = (call: ModelCall): number => Math.ceil(call.text.length / 4);

export function refuse(response: ServerResponse, message: string): void {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } }));
}

async function receive(request: IncomingMessage): Promise<ModelCall> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > bodyBytesMax) throw new Error(`The request is larger than ${bodyBytesMax} bytes.`);
    chunks.push(buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { method = '', url = '', headers } = request;
  return { method, path: url, headers, text, body: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
