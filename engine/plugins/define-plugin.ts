/** What a plugin is. Everything a plugin may import comes from `#engine/plugins`. */
import type { FieldType } from '../model/field-type.ts';

export interface PluginDefinition {
  /** Its layer's and its documents' namespace, as a pack's: lower-case letters, digits and _, at most 40. */
  readonly key: string;
  /** Semantic version. */
  readonly version: string;
  /** What people call it; the key when left out. */
  readonly label?: string;
  /** Packs and plugins that an organisation has to have as well. */
  readonly requires?: readonly string[];
  /** Folder of its documents, `new URL('./metadata/', import.meta.url)`. */
  readonly metadata?: URL;
  /** Field types that documents may name once the plugin is installed, in any organisation. */
  readonly fieldTypes?: readonly FieldType[];
}

export interface Plugin extends Required<Omit<PluginDefinition, 'metadata'>> {
  readonly metadata: URL | null;
}

const KEY = /^[a-z][a-z0-9_]{0,39}$/;
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const KNOWN: ReadonlySet<string> = new Set(['key', 'version', 'label', 'requires', 'metadata', 'fieldTypes']);

const plugins = new WeakSet<object>();

/**
 * The default export of a plugin's `index.ts`.
 * @throws TypeError with a sentence about what is wrong with it
 */
export function definePlugin(definition: PluginDefinition): Plugin {
  const { key, version, label = key, requires = [], metadata = null, fieldTypes = [] } = definition;
  if (!KEY.test(key))
    throw new TypeError(`“${key}” is no key of a plugin: lower-case letters, digits and _, at most 40.`);
  if (!VERSION.test(version))
    throw new TypeError(`The plugin ${key} has the version “${version}”; it must look like 1.0.0.`);
  for (const name of Object.keys(definition))
    if (!KNOWN.has(name)) throw new TypeError(`The plugin ${key} has “${name}”, which is not known here.`);
  for (const required of requires)
    if (!KEY.test(required)) throw new TypeError(`The plugin ${key} requires “${required}”, which is no key.`);
  if (metadata !== null && !(metadata instanceof URL && metadata.protocol === 'file:'))
    throw new TypeError(
      `The plugin ${key} must give its metadata as a file URL: new URL('./metadata/', import.meta.url).`,
    );
  const plugin = Object.freeze({
    key,
    version,
    label,
    requires: Object.freeze([...requires]),
    metadata,
    fieldTypes: Object.freeze([...fieldTypes]),
  });
  plugins.add(plugin);
  return plugin;
}

/** Whether it came from {@link definePlugin}. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && plugins.has(value);
}
