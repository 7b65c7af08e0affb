/** Bundles `server/main.ts` into `dist/`. `openai` becomes a chunk of its own, loaded on the first request to a model. */
import { cp, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import metadata from './package.json' with { type: 'json' };

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { main: 'server/main.ts', 'launcher-process': 'server/sandbox/launcher-process.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.12',
  minifySyntax: true,
  legalComments: 'none',
  define: { CODEX_LSP_VERSION: JSON.stringify(metadata.version) },
  // Some packages are CommonJS and require Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
await cp('server/cli/demo/service', 'dist/demo-service', { recursive: true });
