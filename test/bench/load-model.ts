/** The model of the load test, a process of its own: `load-model.ts SIZE`, the size as JSON. Says its base URL on stdout. */
import { eventText, responseEvents } from '../../server/cli/demo/scripted-answers.ts';
import { type ModelCall, refuse, responseIds, serveModel } from '../../server/cli/demo/scripted-model.ts';
import { firstAnswers, firstPrompt, turnAnswers } from './load-script.ts';

const size = JSON.parse(process.argv[2] ?? '');
const nextId = responseIds();
/** By thread: the answers that are left of its turn. */
const left = new Map<unknown, ReturnType<typeof turnAnswers>>();

const answersTo = ({ text }: ModelCall): ReturnType<typeof turnAnswers> =>
  text.includes(`"${firstPrompt}"`) ? firstAnswers() : turnAnswers(Number(/"load (\d+)"/.exec(text)?.[1]), size);
const threadOf = ({ body }: ModelCall): unknown =>
  typeof body === 'object' && body !== null && 'prompt_cache_key' in body ? body.prompt_cache_key : undefined;

const { baseURL } = await serveModel((call, response) => {
  const thread = threadOf(call);
  const answers = left.get(thread) ?? answersTo(call);
  left.set(thread, answers);
  const answer = answers.shift();
  if (!answer) return refuse(response, 'The turn has come to its end before.');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of responseEvents(answer, nextId(), Math.ceil(call.text.length / 4))) {
    response.write(eventText(event));
  }
  response.end();
});
process.stdout.write(`${baseURL}\n`);
// It ends with whoever has started it.
process.stdin.resume().once('end', () => process.exit(0));
