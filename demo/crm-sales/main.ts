/** `armature demo crm-sales DIR`: brings the data set in, and says whether the product's figures are those of the files. */
import { join, resolve } from 'node:path';
import { createHttp } from '../../engine/api/server.ts';
import type { App } from '../../engine/app.ts';
import type { Context } from '../../engine/cli/command.ts';
import { table } from '../../engine/cli/table.ts';
import { findServer } from '../../engine/home.ts';
import { listen } from '../../engine/server.ts';
import type { Report } from './bring-in.ts';
import { bringIn, same } from './bring-in.ts';
import type { Figures } from './figures.ts';
import { winRate } from './figures.ts';

/** @returns the exit code: 0 when everything came in and every figure is right */
export async function importCrmSales(context: Context, directory: string, tenant: string): Promise<number> {
  const { config, print, say } = context;
  const running = await findServer(config.home);
  if (running) say(`The server at ${running.url} does the work.`);
  const app = await context.open(running ? 'tool' : 'server');
  const errors = join(config.home, `${tenant}-errors`);
  const report = running
    ? await bringIn({ services: app.services, url: running.url, directory: resolve(directory), tenant, errors, say })
    : await withServer(app, (url) =>
        bringIn({ services: app.services, url, directory: resolve(directory), tenant, errors, say }),
      );
  print(reportText(report));
  return report.complete ? 0 : 1;
}

/** A server on a free port of this machine, for as long as the work takes. */
async function withServer<T>(app: App, work: (url: string) => Promise<T>): Promise<T> {
  const server = await listen('127.0.0.1', 0);
  server.serve(createHttp(app.services));
  try {
    return await work(server.url);
  } finally {
    await server.close();
  }
}

function reportText({ people, password, complete }: Report): string {
  const [all] = people;
  const line = (title: string, value: (figures: Figures) => string) =>
    all
      ? [title, value(all.found), value(all.expected), value(all.found) === value(all.expected) ? '' : 'DIFFERENT']
      : [];
  const figures = table(
    ['', 'here', 'in the files', ''],
    [
      line('Opportunities', ({ opportunities }) => opportunities.toLocaleString('en')),
      line('Won, sum', ({ wonAmount }) => Number(wonAmount).toLocaleString('en', { minimumFractionDigits: 2 })),
      line('Win rate, won / (won + lost)', (figures) => `${winRate(figures)} %`),
    ],
  );
  const rows = people.map(({ email, role, expected, found }) => [
    role,
    email,
    `${found.opportunities}`,
    found.wonAmount,
    winRate(found),
    same(expected, found) ? '' : `expected ${expected.opportunities}, ${expected.wonAmount}, ${winRate(expected)}`,
  ]);
  const seen = people.filter(({ expected, found }) => same(expected, found)).length;
  return [
    '',
    figures,
    '',
    table(['role', 'sees', 'opportunities', 'won', 'win rate', ''], rows),
    '',
    `${seen} of ${people.length} people see exactly what the files give them.`,
    `Everybody’s password (it is not shown again): ${password}`,
    ...(complete ? [] : ['NOT COMPLETE: see the lines marked above.']),
  ].join('\n');
}
