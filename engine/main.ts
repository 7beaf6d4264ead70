/** The server: starts, says where it is, and ends cleanly when it is asked to. */
import { ensureDemo } from '../demo/organisation.ts';
import type { App } from './app.ts';
import { makeLog, openApp } from './app.ts';
import { banner } from './banner.ts';
import { createCellsHttp } from './cells/front.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';
import { StartupError } from './db/startup-error.ts';
import { findServer, forgetServer, noteServer, openHome } from './home.ts';
import { compileAhead } from './model/schemas.ts';
import type { Server } from './server.ts';
import { listen } from './server.ts';

interface Running {
  server?: Server;
  app?: App;
}

const stopping = new AbortController();

async function start(config: Config, running: Running): Promise<void> {
  const log = makeLog(config);
  await openHome(config.home);
  const other = await findServer(config.home);
  if (other) {
    throw new StartupError(
      `Armature already runs on ${config.home} (process ${other.pid}, ${other.url}). Stop it, or set ARMATURE_HOME to another folder.`,
    );
  }
  const server = await listen(config.host, config.port);
  running.server = server;
  await noteServer(config.home, { pid: process.pid, url: server.url });
  const app = await openApp(config, {
    mode: 'server',
    log,
    url: config.publicUrl ?? `http://localhost:${server.port}`,
  });
  running.app = app;
  server.serve(
    createCellsHttp(app.cells, {
      draining: () => stopping.signal.aborted,
      trustedProxies: config.trustedProxies,
    }),
  );
  const demo = config.demo ? await ensureDemo(app.services, { home: config.home, signal: stopping.signal }) : null;
  void compileAhead();
  if (!stopping.signal.aborted) process.stdout.write(banner(app.services.publicUrl, demo));
}

async function stop(config: Config, running: Running): Promise<void> {
  // Those who listen would never finish.
  await Promise.all((running.app?.cells.reachable() ?? []).map(({ services }) => services.hub.close()));
  await running.server?.close();
  await running.app?.close();
  await forgetServer(config.home);
}

function fail(error: unknown): void {
  if (error instanceof StartupError) process.stderr.write(`\n${error.message}\n\n`);
  else process.stderr.write(`\nArmature could not start: ${error instanceof Error ? error.stack : String(error)}\n\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const running: Running = {};
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // A terminal's Ctrl+C reaches this process twice, once through npm: only a later one is impatience.
        stopping.abort();
        resolve();
      });
    }
  });
  try {
    await start(config, running);
    await asked;
  } catch (error) {
    if (!stopping.signal.aborted) fail(error);
  } finally {
    await stop(config, running);
  }
}

try {
  await main();
} catch (error) {
  fail(error);
}
// Libraries may hold timers of their own; everything that matters has been closed.
process.exit();
