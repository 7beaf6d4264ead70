/**
 * The plugin host: finds plugins in folders, brings their field types in, and turns their documents into a layer between
 * packs and organisations. Plugins are code that whoever runs the installation has put there; organisations choose
 * among them as they choose packs.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StartupError } from '../db/startup-error.ts';
import type { Pack } from '../model/documents.ts';
import { registerFieldTypes } from '../model/fields/index.ts';
import { loadFolder } from '../model/packs.ts';
import { isReservedPack } from '../model/naming.ts';
import { isPlugin, type Plugin } from './define-plugin.ts';

/** A process loads a plugin once, however often it opens an installation: field types stay. */
const loaded = new Map<string, Promise<Pack>>();

/**
 * @param folders each is a plugin's, with an `index.ts` or `index.js` whose default export is `definePlugin(…)`
 * @param taken keys of the packs that ship
 * @returns the plugins' layers
 * @throws StartupError with the folder and what is wrong with it
 */
export async function loadPlugins(folders: readonly string[], taken: ReadonlySet<string>): Promise<readonly Pack[]> {
  const packs: Pack[] = [];
  for (const folder of folders) {
    let loading = loaded.get(folder);
    if (!loading) {
      loading = loadPlugin(folder);
      loaded.set(folder, loading);
      loading.catch(() => loaded.delete(folder));
    }
    const pack = await loading;
    if (taken.has(pack.key) || packs.some(({ key }) => key === pack.key))
      throw new StartupError(`The plugin in ${folder} is called “${pack.key}”, and so is another plugin or pack.`);
    packs.push(pack);
  }
  return packs;
}

/** The folders in a folder, each of which holds a plugin; none when it does not exist. */
export async function pluginFolders(parent: string): Promise<readonly string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(parent, entry.name))
    .sort();
}

async function loadPlugin(folder: string): Promise<Pack> {
  const plugin = await importPlugin(folder);
  if (isReservedPack(plugin.key))
    throw new StartupError(
      `The plugin in ${folder} cannot be called “${plugin.key}”: the engine uses this name itself.`,
    );
  const documents = await documentsOf(plugin).catch((error: unknown) => {
    throw new StartupError(`The metadata of the plugin ${plugin.key} cannot be read: ${sentence(error)}`, {
      cause: error,
    });
  });
  try {
    registerFieldTypes(plugin.fieldTypes, `The plugin ${plugin.key}`);
  } catch (error) {
    throw new StartupError(sentence(error), { cause: error });
  }
  return { key: plugin.key, version: plugin.version, documents, plugin: true };
}

async function importPlugin(folder: string): Promise<Plugin> {
  let entry: string | null = null;
  for (const name of ['index.ts', 'index.js'])
    if (entry === null && (await stat(join(folder, name)).catch(() => null))?.isFile()) entry = join(folder, name);
  if (entry === null) throw new StartupError(`There is no plugin in ${folder}: it has neither index.ts nor index.js.`);
  let module: unknown;
  try {
    module = await import(pathToFileURL(entry).href);
  } catch (error) {
    throw new StartupError(`The plugin in ${folder} cannot be loaded: ${sentence(error)}`, { cause: error });
  }
  const plugin: unknown = typeof module === 'object' && module !== null && 'default' in module ? module.default : null;
  if (!isPlugin(plugin)) throw new StartupError(`${entry} must export definePlugin(…) as its default.`);
  return plugin;
}

/** The manifest that a pack has as a file is made of the definition. */
async function documentsOf({ key, version, label, requires, metadata }: Plugin): Promise<Pack['documents']> {
  const manifest = { kind: 'pack', key, version, label, ...(requires.length > 0 && { requires }) };
  const written = metadata === null ? [] : await loadFolder(fileURLToPath(metadata), key);
  return [
    { document: manifest, source: `${key}/index`, pack: key },
    ...written.map(({ path, document }) => ({ document, source: `${key}/${path}`, pack: key })),
  ];
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
