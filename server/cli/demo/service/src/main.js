import { createServer } from 'node:http';
import { createApp } from './app.js';
import { createStore } from './store.js';

const port = Number(process.env.PORT ?? 3000);

createServer(createApp(createStore())).listen(port, () => {
  console.log(`accounts listens on http://localhost:${port}`);
});
