/** Loaded into the host before the program: says at its end how long its event loop was held up, and what it took. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  const loop = { p99Ms: delays.percentile(99) / 1e6, mostMs: delays.max / 1e6 };
  writeFileSync(process.env.LOAD_PROBE_FILE ?? '', JSON.stringify({ loop, cpuMs: (user + system) / 1000 }));
});
