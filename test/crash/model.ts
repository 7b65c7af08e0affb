/** A model without a memory of its own: each request is checked and answered for what stands in it, so that a turn may break off. */
import { refuse, responseIds, serveModel } from '../../server/cli/demo/scripted-model.ts';
import { replyOf, type ScriptedAnswer } from '../support/model-answers.ts';
import { inputProblems, prefixProblems, type RequestBody, requestSchema } from '../support/model-request.ts';

/** `problems`: what was wrong with requests so far. */
export async function startForgetfulModel(answerTo: (body: RequestBody) => ScriptedAnswer | undefined) {
  const problems: string[] = [];
  const latest = new Map<string, RequestBody>();
  const nextId = responseIds();
  const server = await serveModel(async ({ body: given }, response) => {
    const parsed = requestSchema.safeParse(given);
    const body = parsed.data;
    const answer = body && answerTo(body);
    const before = body && latest.get(body.prompt_cache_key);
    const wrong = [
      ...(parsed.error ? [parsed.error.message] : []),
      ...(body ? inputProblems(body.input) : []),
      ...(before && body ? prefixProblems(before, body) : []),
      ...(answer ? [] : ['nobody knows an answer to it']),
    ];
    problems.push(...wrong);
    if (!body || !answer || wrong.length > 0) return refuse(response, wrong.join('; '));
    latest.set(body.prompt_cache_key, body);
    const { reply } = await replyOf(answer, body, nextId());
    response.writeHead(reply.status, reply.headers);
    for (const chunk of reply.chunks) response.write(chunk);
    response.end();
  });
  return { ...server, problems };
}
