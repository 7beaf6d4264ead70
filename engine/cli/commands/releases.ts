import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Resolutions } from '../../model/merge-documents.ts';
import { exportFiles, MANIFEST } from '../../schema/export-files.ts';
import type { Publisher } from '../../schema/publish.ts';
import type { SourceInput } from '../../schema/source.ts';
import type { Arguments, Command, Context, Option } from '../command.ts';
import { UsageError } from '../command.ts';
import { diffText } from '../diff-text.ts';
import { readDocuments } from '../documents.ts';
import { manifestOf, writeExport } from '../export-folder.ts';
import { openTenant } from '../open-tenant.ts';
import { ON_FAIL, onFailOf } from '../on-fail.ts';
import { conflictsText, planText } from '../plan-text.ts';
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

const INPUT: Readonly<Record<string, Option>> = {
  tenant: TENANT,
  packs: PACKS,
  upgrade: { type: 'boolean', help: 'take the packs as this version ships them' },
  resolve: {
    type: 'string',
    value: 'ID=keep,…',
    help: 'decide conflicts of an upgrade: keep or take, by id, or one of them for all',
  },
  'on-fail': ON_FAIL,
  base: { type: 'string', value: 'N', help: 'the release the folder is based on; refused when another came since' },
};

/** `all` for every conflict that allows it, or a decision for each id. */
function resolutionsOf(given: Arguments): Resolutions | 'keep' | 'take' {
  const text = given.text('resolve');
  if (text === undefined) return {};
  if (text === 'keep' || text === 'take') return text;
  const decided: Record<string, 'keep' | 'take'> = {};
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    const decision = part.slice(at + 1).trim();
    if (at < 1 || (decision !== 'keep' && decision !== 'take'))
      throw new UsageError(`--resolve has "${part}". It must be ID=keep or ID=take, or keep or take for all.`);
    decided[part.slice(0, at).trim()] = decision;
  }
  return decided;
}

function baseOf(given: Arguments): number | undefined {
  const base = given.text('base');
  if (base !== undefined && !/^\d{1,9}$/.test(base))
    throw new UsageError(`--base is "${base}". It must be the number of a release.`);
  return base === undefined ? undefined : Number(base);
}

/** The folder, the packs it was made on, and what is decided. */
async function inputOf(context: Context, given: Arguments, publisher: Publisher): Promise<SourceInput> {
  const directory = given.positionals[0] ?? '';
  const tenant = given.required('tenant');
  const [documents, manifest] = [await readDocuments(directory), await manifestOf(directory)];
  const { versions } = await publisher.documents(tenant);
  let packs = packsOf(given);
  if (manifest && packs === undefined) {
    const wanted = Object.keys(manifest.packs);
    const there = Object.keys(versions).filter((key) => key !== 'core');
    if (wanted.toSorted().join() !== there.toSorted().join()) packs = wanted;
    for (const [key, version] of Object.entries(manifest.packs))
      if (versions[key] !== undefined && versions[key] !== version)
        context.say(
          `The folder was made on ${key} ${version}; the organisation has ${versions[key]}. --upgrade takes what this version ships.`,
        );
  }
  const input = { documents, packs, upgrade: given.flag('upgrade'), ...onFailOf(given) };
  const resolutions = resolutionsOf(given);
  if (typeof resolutions !== 'string') return { ...input, resolutions };
  const { conflicts } = await publisher.plan(tenant, input);
  const decided = conflicts.filter((conflict) => conflict.resolutions.includes(resolutions));
  return { ...input, resolutions: Object.fromEntries(decided.map(({ id }) => [id, resolutions])) };
}

export const plan: Command = {
  name: 'plan',
  summary: 'Shows what publishing a folder of documents would change',
  operands: [{ name: 'DIR', help: 'folder with the organisation’s own documents (*.json)' }],
  options: INPUT,
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const base = baseOf(given);
    const { publisher } = await openTenant(context, tenant);
    const input = await inputOf(context, given, publisher);
    const found = await publisher.plan(tenant, { ...input, base });
    context.print(planText(found));
    if (found.conflicts.length > 0) context.print(conflictsText(found.conflicts));
  },
};

export const publish: Command = {
  name: 'publish',
  summary: 'Publishes a folder of documents as the organisation’s own',
  operands: plan.operands ?? [],
  options: { ...INPUT, message: { type: 'string', value: 'TEXT', help: 'what the release is for' } },
  details:
    'The folder replaces the organisation’s own documents as a whole; what is missing in it is set aside, not dropped. A folder that “export” wrote brings its packs and its identities along, so that a rename there is a rename here.',
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const directory = given.positionals[0] ?? '';
    const wanted = baseOf(given);
    const { publisher } = await openTenant(context, tenant);
    const input = await inputOf(context, given, publisher);
    const base = wanted ?? (await publisher.documents(tenant)).release;
    const message = given.text('message') ?? `Documents of ${resolve(directory)}`;
    const release = await publisher.publish(tenant, { ...input, base, author: author(), message });
    context.print(`Release ${release.number} of "${tenant}" is published.`);
    for (const warning of release.plan.warnings) context.say(`Warning: ${warning}`);
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
  summary: 'Lists the organisation’s own documents',
  options: { tenant: TENANT },
  run: async (context, given) => {
    const files = await filesOf(context, given);
    for (const name of files.keys()) if (name !== MANIFEST) context.print(name);
  },
};

export const exportDocuments: Command = {
  name: 'export',
  summary: 'Writes the organisation’s own documents to a folder, one file each, for git',
  operands: [{ name: 'DIR', help: 'folder to write to: new, empty, or one that was written before' }],
  options: { tenant: TENANT },
  details:
    'The same documents always give the same files. Documents that are gone lose their files; other files stay. “plan” and “publish” take the folder back, here or in another installation.',
  run: async (context, given) => {
    const directory = given.positionals[0] ?? '';
    const files = await filesOf(context, given);
    await writeExport(directory, files);
    const count = files.size - 1;
    context.print(`${count} ${count === 1 ? 'document' : 'documents'} written to ${resolve(directory)}.`);
  },
};

async function filesOf(context: Context, given: Arguments): Promise<ReadonlyMap<string, string>> {
  const tenant = given.required('tenant');
  const { publisher } = await openTenant(context, tenant);
  const { documents: own, release, versions } = await publisher.documents(tenant, { identities: true });
  const packs = Object.keys(versions).join(', ') || 'none';
  context.say(`Release ${release}, packs ${packs}, ${own.length} documents of its own.`);
  return exportFiles({ packs: versions, documents: own });
}

export const diff: Command = {
  name: 'diff',
  summary: 'Shows what two releases, or two organisations, differ in',
  options: {
    tenant: TENANT,
    from: { type: 'string', value: 'N', help: 'the earlier release (default: the one before)' },
    to: { type: 'string', value: 'N', help: 'the later release (default: the current one)' },
    with: {
      type: 'string',
      value: 'KEY',
      help: 'another organisation, whose release --to (or the current one) is compared',
    },
  },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const other = given.text('with') ?? tenant;
    const { publisher } = await openTenant(context, tenant);
    if (other !== tenant) await openTenant(context, other);
    const number = (name: string): number | undefined => {
      const text = given.text(name);
      if (text !== undefined && !/^\d{1,9}$/.test(text))
        throw new UsageError(`--${name} is "${text}". It must be the number of a release.`);
      return text === undefined ? undefined : Number(text);
    };
    const to = number('to') ?? (await publisher.documents(other)).release;
    const from =
      number('from') ?? (other === tenant ? Math.max(to - 1, 0) : (await publisher.documents(tenant)).release);
    context.print(diffText(await publisher.diff({ tenant, release: from }, { tenant: other, release: to })));
  },
};
