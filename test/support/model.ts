/** The strict scripted model of the tests: it checks each request, and that its script was followed to the end. */
import type { ServerResponse } from 'node:http';
import { type ModelCall, refuse, responseIds, serveModel } from '../../server/cli/demo/scripted-model.ts';
import { type Gate, type Reply, replyOf, type ScriptedAnswer } from './model-answers.ts';
import { inputProblems, prefixProblems, type RequestBody, requestSchema } from './model-request.ts';

export { call, custom, plan, reasoning, say, shell, together } from '../../server/cli/demo/scripted-answers.ts';
export { failure, type Gate, gate, patch, type ScriptedAnswer, soon } from './model-answers.ts';
export type { RequestBody } from './model-request.ts';

/** Answers in order, for the requests that match. */
export type Script = { matches: (body: RequestBody) => boolean; answers: readonly ScriptedAnswer[] };

/** `script(patch('a.txt', '-one', '+ONE'), say('Done.'))`: each argument answers one request. */
export const script = (...answers: readonly ScriptedAnswer[]): Script => ({ matches: () => true, answers });

/** The same for one of several threads at once: `scriptWhen(asked('shout'), …)`. */
export const scriptWhen = (matches: Script['matches'], ...answers: readonly ScriptedAnswer[]): Script => ({
  matches,
  answers,
});

/** Matches a request whose input holds this text somewhere. */
export const asked = (text: string) => (body: RequestBody) =>
  JSON.stringify(body.input).includes(JSON.stringify(text).slice(1, -1));

export type StrictModel = AsyncDisposable & {
  /** For `OPENAI_BASE_URL`. Any key will do, but there must be one. */
  baseURL: string;
  /** Valid requests, in the order of their arrival. */
  requests: readonly RequestBody[];
  calls: readonly ModelCall[];
  /** Throws with all that was wrong: broken requests, unplanned ones, answers that nobody asked for. */
  assertUsedUp(): void;
  close(): Promise<void>;
};

/** Starts it. Disposing it closes the server and asserts that the scripts were used up. */
export async function startModel(...scripts: readonly Script[]): Promise<StrictModel> {
  const calls: ModelCall[] = [];
  const requests: RequestBody[] = [];
  const problems: string[] = [];
  const used = scripts.map(() => 0);
  const nextId = responseIds();

  const server = await serveModel(async (call, response) => {
    calls.push(call);
    const number = calls.length;
    const object = (problem: string) => {
      problems.push(`request ${number}: ${problem}`);
      refuse(response, problem);
    };

    if (call.method !== 'POST' || call.path !== '/v1/responses') return object(`${call.method} ${call.path}`);
    if (!call.headers.authorization?.startsWith('Bearer ')) return object('no key');
    const parsed = requestSchema.safeParse(call.body);
    if (!parsed.success) return object(parsed.error.message);
    const body = parsed.data;
    const before = requests.findLast((earlier) => earlier.prompt_cache_key === body.prompt_cache_key);
    const wrong = [...inputProblems(body.input), ...(before ? prefixProblems(before, body) : [])];
    if (wrong.length > 0) return object(wrong.join('; '));
    requests.push(body);

    const index = scripts.findIndex((script) => script.matches(body));
    const answer = scripts[index]?.answers[used[index] ?? 0];
    if (answer === undefined) return object('the script has no answer for it');
    used[index] = (used[index] ?? 0) + 1;
    const { reply, gate } = await replyOf(answer, body, nextId());
    await send(reply, response, body, gate);
  });

  const assertUsedUp = () => {
    const left = scripts.flatMap(({ answers }, index) =>
      used[index] === answers.length
        ? []
        : [`script ${index + 1}: ${used[index]} of ${answers.length} answers were used`],
    );
    if (problems.length + left.length > 0) throw new Error(`The scripted model: ${[...problems, ...left].join('\n')}`);
  };

  return {
    baseURL: server.baseURL,
    requests,
    calls,
    assertUsedUp,
    close: server.close,
    async [Symbol.asyncDispose]() {
      await server.close();
      assertUsedUp();
    },
  };
}

/** Outputs of tools that a request brought, in order; those of the last step only: `.at(-1)`. */
export const toolOutputs = (body: RequestBody | undefined): string[] =>
  (body?.input ?? []).flatMap((item) => (typeof item.output === 'string' ? [item.output] : []));

/** All the text of user and developer messages in a request. */
export const messageTexts = (body: RequestBody | undefined): string[] =>
  (body?.input ?? []).flatMap((item) => {
    if (item.type !== 'message' || item.role === 'assistant' || !Array.isArray(item.content)) return [];
    return item.content.map((part: { text?: unknown }) => String(part.text));
  });

async function send(reply: Reply, response: ServerResponse, body: RequestBody, gate: Gate | undefined): Promise<void> {
  const closed = new Promise<'closed'>((resolve) => response.once('close', () => resolve('closed')));
  const begin = () => reply.status > 0 && response.writeHead(reply.status, reply.headers).flushHeaders();
  const held = gate?.eventsBefore ?? 0;
  if (gate) {
    if (held > 0) {
      begin();
      await write(response, reply.chunks.slice(0, held));
    }
    gate.on.arrive(body);
    if ((await Promise.race([gate.on.opened, closed])) === 'closed') return gate.on.abandon();
  }
  if (held === 0) begin();
  await write(response, reply.chunks.slice(held));
  if (reply.ending === 'end') response.end();
  else if (reply.ending === 'drop') response.destroy();
  else await closed;
}

/** Flushed chunk by chunk, so that what is destroyed afterwards has been sent. */
async function write(response: ServerResponse, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) {
    if (response.destroyed) return;
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
  }
}
