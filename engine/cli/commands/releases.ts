import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Arguments, Command, Option } from '../command.ts';
import { Failure, UsageError } from '../command.ts';
import { readDocuments } from '../documents.ts';
import { openTenant } from '../open-tenant.ts';
import { ON_FAIL, onFailOf } from '../on-fail.ts';
import { planText } from '../plan-text.ts';
import { table } from '../table.ts';

const TENANT: Option = { type: 'string', value: 'KEY', help: 'the organisation', required: true };

const PACKS: Option = { type: 'string', value: 'A,B', help: 'packs to have from now on, as this version ships them' };

const packsOf = (given: Arguments) =>
  given
    .text('packs')
    ?.split(',')
    .map((pack) => pack.trim())
    .filter(Boolean);

/** Who published, as far as the command line knows. */
function author(): string {
  try {
    return `${userInfo().username} (command line)`;
  } catch {
    return 'command line';
  }
}

export const plan: Command = {
  name: 'plan',
  summary: 'Shows what publishing a folder of documents would change',
  operands: [{ name: 'DIR', help: 'folder with the organisation’s own documents (*.json)' }],
  options: { tenant: TENANT, packs: PACKS, 'on-fail': ON_FAIL },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const documents = await readDocuments(given.positionals[0] ?? '');
    const { publisher } = await openTenant(context, tenant);
    context.print(planText(await publisher.plan(tenant, { packs: packsOf(given), documents, ...onFailOf(given) })));
  },
};

export const publish: Command = {
  name: 'publish',
  summary: 'Publishes a folder of documents as the organisation’s own',
  operands: plan.operands ?? [],
  options: {
    tenant: TENANT,
    packs: PACKS,
    'on-fail': ON_FAIL,
    message: { type: 'string', value: 'TEXT', help: 'what the release is for' },
  },
  details:
    'The folder replaces the organisation’s own documents as a whole; what is missing in it is set aside, not dropped.',
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const directory = given.positionals[0] ?? '';
    const documents = await readDocuments(directory);
    const { publisher } = await openTenant(context, tenant);
    const { release: base } = await publisher.documents(tenant);
    const message = given.text('message') ?? `Documents of ${resolve(directory)}`;
    const release = await publisher.publish(tenant, {
      base,
      author: author(),
      message,
      packs: packsOf(given),
      documents,
      ...onFailOf(given),
    });
    context.print(`Release ${release.number} of "${tenant}" is published.`);
    if (release.plan.steps.some(({ deferred }) => deferred))
      context.say('A part of it is done afterwards: "armature steps" shows it.');
  },
};

export const releases: Command = {
  name: 'releases',
  summary: 'Lists the releases of an organisation',
  options: { tenant: TENANT },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const { publisher } = await openTenant(context, tenant);
    const rows = (await publisher.releases(tenant)).map(({ number, createdAt, author, message }) => [
      `${number}`,
      createdAt,
      author,
      message,
    ]);
    context.print(table(['release', 'published', 'by', 'message'], rows));
  },
};

export const rollback: Command = {
  name: 'rollback',
  summary: 'Publishes an earlier release anew',
  options: {
    tenant: TENANT,
    to: { type: 'string', value: 'N', help: 'the release to go back to', required: true },
    message: { type: 'string', value: 'TEXT', help: 'why' },
    'on-fail': ON_FAIL,
  },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const to = given.required('to');
    if (!/^\d{1,9}$/.test(to)) throw new UsageError(`--to is "${to}". It must be the number of a release.`);
    const { publisher } = await openTenant(context, tenant);
    const { release: base } = await publisher.documents(tenant);
    const message = given.text('message') ?? `Back to release ${to}`;
    const release = await publisher.rollback(tenant, {
      base,
      to: Number(to),
      author: author(),
      message,
      ...onFailOf(given),
    });
    context.print(`Release ${release.number} of "${tenant}" is as release ${to} was.`);
  },
};

export const documents: Command = {
  name: 'documents',
  summary: 'Writes the organisation’s own documents to a folder, or lists them',
  operands: [{ name: 'DIR', help: 'folder to write to; must be empty or new', optional: true }],
  options: { tenant: TENANT },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const directory = given.positionals[0];
    // Before anything else: what lies there would be published along.
    if (directory !== undefined) await requireEmpty(directory);
    const { publisher } = await openTenant(context, tenant);
    const { documents: own, release, packs } = await publisher.documents(tenant, { identities: true });
    const files = own.map((document) => ({
      name: fileNameOf(document),
      text: `${JSON.stringify(document, null, 2)}\n`,
    }));
    context.say(`Release ${release}, packs ${packs.join(', ') || 'none'}, ${files.length} documents of its own.`);
    if (directory === undefined) {
      for (const { name } of files) context.print(name);
      return;
    }
    await mkdir(directory, { recursive: true });
    const taken = new Set<string>();
    for (const { name, text } of files) {
      if (taken.has(name)) throw new Failure(`Two documents would be written to ${name}.`);
      taken.add(name);
      await writeFile(join(directory, name), text);
    }
    context.print(`${files.length} ${files.length === 1 ? 'file' : 'files'} written to ${resolve(directory)}.`);
  },
};

/** @throws Failure unless the folder is new or has nothing in it; git's own folder does not count */
async function requireEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return [];
    throw new Failure(`The folder ${resolve(directory)} cannot be read.`, { cause: error });
  });
  if (names.some((name) => name !== '.git'))
    throw new Failure(`The folder ${resolve(directory)} is not empty. Name a new one, or empty it first.`);
}

/** `<key>.<kind>.json`; documents without a key of their own are told apart by what they belong to. */
function fileNameOf(document: Readonly<Record<string, unknown>>): string {
  const part = (key: string) => (typeof document[key] === 'string' ? [document[key]] : []);
  const own = [...part('role'), ...part('entity'), ...part('key'), ...part('locale')];
  const name = [...part('pack').filter((pack) => pack !== 'custom'), ...own, ...part('kind')].join('.');
  return `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.json`;
}
