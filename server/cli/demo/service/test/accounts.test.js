import assert from 'node:assert/strict';
import test from 'node:test';
import { startService } from '../support/service.js';

const ada = { name: 'Ada Lovelace', email: 'ada@example.com' };

test('the service says that it is healthy', async (t) => {
  const send = await startService(t);
  assert.deepEqual(await send('GET', '/health'), { status: 200, body: { status: 'ok' } });
});

test('a new account can be read back and is listed', async (t) => {
  const send = await startService(t);
  const created = await send('POST', '/accounts', ada);
  assert.equal(created.status, 201);
  assert.equal(created.body.name, 'Ada Lovelace');
  assert.deepEqual(await send('GET', `/accounts/${created.body.id}`), { status: 200, body: created.body });
  assert.deepEqual((await send('GET', '/accounts')).body, [created.body]);
});

test('an email has at most one account', async (t) => {
  const send = await startService(t);
  await send('POST', '/accounts', ada);
  assert.equal((await send('POST', '/accounts', { ...ada, email: 'ADA@example.com' })).status, 409);
});

test('an invalid account is refused with a sentence for each field', async (t) => {
  const send = await startService(t);
  const refused = await send('POST', '/accounts', { name: ' ', email: 'nobody', admin: true });
  assert.equal(refused.status, 400);
  assert.deepEqual(refused.body.errors, [
    'admin is not a known field.',
    'name must be a text of 1 to 100 characters.',
    'email must be an email address.',
  ]);
});

test('a body that is not JSON is refused', async (t) => {
  const send = await startService(t);
  assert.equal((await send('POST', '/accounts', '{ name:')).status, 400);
});

test('an unknown account and an unknown route are 404', async (t) => {
  const send = await startService(t);
  assert.equal((await send('GET', '/accounts/nobody')).status, 404);
  assert.equal((await send('GET', '/nowhere')).status, 404);
});
