/** From a model to everything that must exist in the tenant's schema. Pure: no database, no clock. */
import { atOnce, besideOthers } from '../breathe.ts';
import type { Model } from '../model/model.ts';
import type { Tenant } from '../model/tenant.ts';
import { SHARED_RECORDS } from '../condition/to-sql.ts';
import { assignFunction, assignName } from './assign.ts';
import { contextOf } from './context.ts';
import { similarFunction, similarName } from './duplicates.ts';
import { historyTable } from './history.ts';
import { linkTable, linkTriggers, ownLinks } from './links.ts';
import { mergeFunction, mergeName } from './merge.ts';
import { mergesTable } from './merges.ts';
import { historyTableId } from './names.ts';
import { purgeFunction, purgeName } from './purge.ts';
import { tenantRoles } from './roles.ts';
import { searchFunctions } from './search.ts';
import { sharesFunctions, sharesTable } from './shares.ts';
import type { DesiredState, FunctionState, SequenceState, TableState } from './state.ts';
import { freeze, STATE_FORMAT } from './state.ts';
import { entitySequences, entityTable } from './tables.ts';
import { minuteFunctions } from './deadlines.ts';
import { fillFunctions } from './fills.ts';
import { tableTriggers } from './triggers.ts';

/**
 * @param tenant its names and id are written into policies and triggers
 * @returns a frozen tree of plain data
 */
export function desiredState(tenant: Tenant, model: Model): DesiredState {
  return atOnce(desired(tenant, model));
}

/** As {@link desiredState}, entity by entity beside everybody's requests. */
export async function desiredStateBesideOthers(tenant: Tenant, model: Model): Promise<DesiredState> {
  return besideOthers(desired(tenant, model));
}

function* desired(tenant: Tenant, model: Model): Generator<void, DesiredState> {
  const context = contextOf(tenant, model);
  const tables: Record<string, TableState> = {};
  const sequences: Record<string, SequenceState> = {};
  const functions: Record<string, string> = {};
  const callers: Record<string, readonly string[]> = {};
  const called = (name: string, made: FunctionState | null): void => {
    if (made === null) return;
    functions[name] = made.sql;
    callers[name] = made.users;
  };
  for (const entity of model.entities.values()) {
    yield;
    const triggers = tableTriggers(context, entity);
    Object.assign(functions, triggers.functions, searchFunctions(context, entity));
    // Whoever writes a record has its deadlines computed and its values looked up.
    for (const [name, sql] of Object.entries({
      ...minuteFunctions(context, entity),
      ...fillFunctions(context, entity),
    }))
      called(name, { sql, users: Object.keys(tenantRoles(context)).sort() });
    called(assignName(entity), assignFunction(context, entity));
    called(mergeName(entity), mergeFunction(context, entity));
    called(similarName(entity), similarFunction(context, entity));
    called(purgeName(entity), purgeFunction(context, entity));
    for (const [id, sequence] of Object.entries(entitySequences(context, entity))) {
      // A named sequence is drawn from by whoever creates records of any of its entities.
      const users = new Set([...(sequences[id]?.users ?? []), ...sequence.users]);
      sequences[id] = { ...sequence, users: [...users].sort() };
    }
    tables[entity.id] = entityTable(context, entity, triggers.triggers);
    if (entity.history) tables[historyTableId(entity)] = historyTable(context, entity);
    for (const { field } of ownLinks(entity)) {
      const { functions: written, triggers: run } = linkTriggers(context, entity, field);
      const table = linkTable(context, entity, field, run);
      Object.assign(functions, written);
      if (table) tables[table.id] = table;
    }
  }
  const merges = mergesTable(context);
  if (merges) tables[merges.id] = merges;
  const shares = sharesTable(context);
  if (shares) {
    tables[shares.id] = shares;
    Object.assign(functions, sharesFunctions(context));
    callers[SHARED_RECORDS] = Object.keys(tenantRoles(context)).sort();
  }
  return freeze({
    format: STATE_FORMAT,
    schema: tenant.names.schema,
    roles: tenantRoles(context),
    sequences,
    functions,
    callers,
    tables,
  });
}
