/** What decides over the records of a table, as it stands in the database: who owns them, and what conditions ask for. */
import type pg from 'pg';
import { literal, qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import type { Expectation, Facts, Subject } from './expectation.ts';

export interface Row extends Subject {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly facts: Facts;
}

/** All of them, by id. Of parts it is the owner and the facts of what they are part of. */
export async function subjectsOf(
  superuser: pg.Client,
  model: Model,
  entity: Entity,
  tenant: string,
  expectation: Expectation,
): Promise<readonly Row[]> {
  const schema = `t_${tenant}`;
  let [whole, alias, joins] = [entity, 'x', ''];
  for (let parent = parentOf(model, whole); parent && whole.parent; parent = parentOf(model, whole)) {
    const next = `${alias}p`;
    joins += ` join ${qualified(schema, parent.table)} ${next} on ${next}.id = ${alias}.${quote(whole.parent.field)}`;
    [whole, alias] = [parent, next];
  }
  const facts = expectation
    .factsOf(whole.name)
    .map((fact) => `${literal(fact)}, ${factSql(fact, whole, alias, model, schema)}`);
  const { rows } = await superuser.query<Omit<Row, 'tenant'>>(
    `select x.id, ${whole.owner ? `${alias}.owner` : 'null'} as owner, to_jsonb(x) as values, jsonb_build_object(${facts.join()}) as facts
     from ${qualified(schema, entity.table)} x${joins} order by x.id`,
  );
  return rows.map((row) => ({ ...row, tenant }));
}

const parentOf = (model: Model, { parent }: Entity): Entity | undefined =>
  parent === null ? undefined : model.entities.get(parent.entity);

function factSql(fact: string, entity: Entity, alias: string, model: Model, schema: string): string {
  const [key = fact, further] = fact.split('.');
  const target = model.entities.get(entity.fields.get(key)?.reference?.entity ?? '');
  if (further === undefined || !target) return `${alias}.${quote(key)}`;
  return `(select o.${quote(further)} from ${qualified(schema, target.table)} o where o.id = ${alias}.${quote(key)})`;
}
