/** Brings the data set in: an organisation by the command line's right, everything in it through the public API. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../engine/cli/command.ts';
import { createOrganisation } from '../../engine/organisation.ts';
import { Problem } from '../../engine/problem.ts';
import type { Services } from '../../engine/services.ts';
import type { ImportResult, Json } from '../client.ts';
import { ApiClient, textOf } from '../client.ts';
import { readSource } from './files.ts';
import type { Figures } from './figures.ts';
import { expectedFigures } from './figures.ts';
import { ADMINISTRATOR, organisationOf } from './people.ts';
import { stepsOf } from './steps.ts';

export interface BringIn {
  readonly services: Services;
  /** Address of the server that runs on the same data. */
  readonly url: string;
  /** Folder of the data set. */
  readonly directory: string;
  /** Key of the new organisation. */
  readonly tenant: string;
  /** Folder for the files of rows that failed; made when needed. */
  readonly errors: string;
  readonly say: (text: string) => void;
}

export interface StepReport {
  readonly title: string;
  readonly rows: number;
  readonly result: ImportResult;
  /** File of the rows that failed. */
  readonly errorFile: string | null;
}

export interface PersonReport {
  readonly email: string;
  readonly role: string;
  readonly expected: Figures;
  readonly found: Figures;
}

export interface Report {
  readonly password: string;
  readonly steps: readonly StepReport[];
  /** The administrator first. */
  readonly people: readonly PersonReport[];
  /** Every row came in and everybody sees the figures of the files. */
  readonly complete: boolean;
}

/** Milliseconds a token of this run is good for. */
const TOKEN_TTL = 3_600_000;

export async function bringIn(options: BringIn): Promise<Report> {
  const { services, tenant, say } = options;
  const source = await readSource(options.directory);
  const password = `${services.ids.secret(9).toLowerCase()}-demo`;
  await makeOrganisation(services, tenant, password);
  say(`Organisation "${tenant}" made, with its administrator ${ADMINISTRATOR}.`);
  const clientOf = async (email: string) =>
    new ApiClient(
      options.url,
      (await services.identity.issueToken({ tenant, user: { email }, label: 'import', ttl: TOKEN_TTL })).token,
    );
  const administrator = await clientOf(ADMINISTRATOR);

  const steps: StepReport[] = [];
  for (const step of stepsOf(source)) {
    const begun = Date.now();
    const result = await administrator.import(step.path, step.file, step.csv, step.settings);
    const errorFile =
      result.failed > 0 ? await keepErrors(administrator, options.errors, step.path, step.file, result) : null;
    const { created, updated, failed } = result;
    const parts = [
      `${created} created`,
      ...(updated > 0 ? [`${updated} updated`] : []),
      ...(failed > 0 ? [`${failed} FAILED`] : []),
    ];
    say(`${step.title}: ${step.rows} rows, ${parts.join(', ')} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    if (errorFile !== null) say(`  The rows that failed, with the reasons: ${errorFile}`);
    steps.push({ title: step.title, rows: step.rows, result, errorFile });
  }

  await setPasswords(administrator, password);
  const expected = expectedFigures(source);
  const people: PersonReport[] = [];
  for (const { email, role } of organisationOf(source).members) {
    const wanted = expected.get(email);
    if (wanted) people.push({ email, role, expected: wanted, found: await figuresFor(await clientOf(email)) });
  }
  const complete =
    steps.every(({ rows, result }) => result.failed === 0 && result.created + result.updated === rows) &&
    people.every(({ expected, found }) => same(expected, found));
  return { password, steps, people, complete };
}

async function makeOrganisation(services: Services, key: string, password: string): Promise<void> {
  const place = { country: 'US', currency: 'USD', timeZone: 'America/New_York', locale: 'en' };
  const administrator = { email: ADMINISTRATOR, name: 'Admin CRM Sales', password };
  try {
    await createOrganisation(services, { key, name: 'CRM Sales', ...place, packs: ['crm'], administrator });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unique') throw error;
    throw new Failure(
      `There is an organisation "${key}" already. Nothing was imported; --tenant chooses another key.`,
      { cause: error },
    );
  }
}

async function keepErrors(
  client: ApiClient,
  folder: string,
  path: string,
  file: string,
  result: ImportResult,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const target = join(folder, file.replace(/\.csv$/, '-errors.csv'));
  await writeFile(target, await client.text(`${path}/imports/${result.id}/errors.csv`));
  return target;
}

/** Everybody gets the one password; the administrator has it already. */
async function setPasswords(client: ApiClient, password: string): Promise<void> {
  const users = await client.json('GET', '/api/core/v1/users?$select=id,email&$first=200');
  for (const user of listOf(users['data'])) {
    if (textOf(user, 'email') === ADMINISTRATOR) continue;
    await client.json('POST', `/api/core/v1/users/${textOf(user, 'id')}/actions/set_password`, { password });
  }
}

/** What somebody sees of the opportunities, summed up by the server. */
export async function figuresFor(client: ApiClient): Promise<Figures> {
  const answer = await client.json('GET', '/api/crm/v1/opportunities?$group=stage&$agg=n:count(),total:sum(amount)');
  const groups = new Map(listOf(answer['data']).map((group) => [group['stage'], group]));
  const count = (stage: string) => Number(groups.get(stage)?.['n'] ?? 0);
  const total = groups.get('won')?.['total'];
  return {
    opportunities: [...groups.values()].reduce((sum, group) => sum + Number(group['n'] ?? 0), 0),
    won: count('won'),
    lost: count('lost'),
    wonAmount: typeof total === 'string' ? total : '0.00',
  };
}

export function same(one: Figures, other: Figures): boolean {
  return (
    one.opportunities === other.opportunities &&
    one.won === other.won &&
    one.lost === other.lost &&
    one.wonAmount === other.wonAmount
  );
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value)
    ? value.filter((item: unknown) => typeof item === 'object' && item !== null).map((item: object) => ({ ...item }))
    : [];
}
