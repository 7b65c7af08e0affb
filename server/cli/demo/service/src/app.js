import { HttpError, readJson, sendJson } from './json.js';
import { createRouter } from './router.js';
import { validateAccount } from './validation.js';

/** The service as a request listener for `node:http`. */
export function createApp(store) {
  const router = createRouter();

  router.add('GET', '/health', () => ({ status: 200, body: { status: 'ok' } }));

  router.add('GET', '/accounts', () => ({ status: 200, body: store.listAccounts() }));

  router.add('POST', '/accounts', ({ body }) => {
    const { errors, value } = validateAccount(body);
    if (errors.length > 0) return { status: 400, body: { errors } };
    if (store.findAccountByEmail(value.email)) throw new HttpError(409, 'This email already has an account.');
    return { status: 201, body: store.addAccount(value) };
  });

  router.add('GET', '/accounts/:id', ({ params }) => {
    const account = store.findAccount(params.id);
    if (!account) throw new HttpError(404, 'There is no such account.');
    return { status: 200, body: account };
  });

  return async (request, response) => {
    try {
      const { pathname } = new URL(request.url, 'http://localhost');
      const route = router.find(request.method, pathname);
      if (!route) throw new HttpError(404, `There is no ${request.method} ${pathname}.`);
      const body = request.method === 'POST' ? await readJson(request) : undefined;
      const answer = await route.handler({ params: route.params, body });
      sendJson(response, answer.status, answer.body);
    } catch (error) {
      if (error instanceof HttpError) return sendJson(response, error.status, { error: error.message });
      console.error(error);
      sendJson(response, 500, { error: 'Something went wrong.' });
    }
  };
}
