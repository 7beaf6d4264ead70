/** The public plugin API: what plugins import, and nothing else (`import … from '#engine/plugins'`). */
export { definePlugin, type Plugin, type PluginDefinition } from './define-plugin.ts';
export type { ColumnSpec, FieldType, JsonSchema, Parsed, ValueContext, ValueError } from '../model/field-type.ts';
export type { Field } from '../model/model.ts';
export type { Operator, Value, ValueType } from '../model/value-type.ts';
