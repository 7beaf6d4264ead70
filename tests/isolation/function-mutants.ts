/**
 * Functions that run as their owner and are no triggers: each right they ask for themselves is loosened or taken away in
 * turn, and each role's right to call them.
 */
import type pg from 'pg';
import { quote } from '#engine/db/identifiers.ts';
import { conditionsIn, inBrackets, membersOf, replaced, type Span, textOf } from './conditions.ts';
import type { Mutant } from './mutants.ts';

/** A group of roles, as `callerReaches` writes it. */
const GROUP = /^\(pg_catalog\.pg_has_role\(current_setting\('role'\), '\w+__system', 'USAGE'\)/;
const ROLE = /pg_has_role\(current_setting\('role'\), '(\w+)'/;

/** What a text is like. */
const NO_RIGHT = /operator\(public\.|similarity\(| like /;
/** Which records it is about; and a record that is merged into itself is counted once. */
const IDS = /^(?:\w\."id" (?:=|<>) |\$1 = any)/;

export interface FunctionMutant extends Mutant {
  /** Of a group of roles: which of the function's groups, and what is done to it. */
  readonly group?: { readonly index: number; readonly role: string | null; readonly how: 'gone' | 'all' };
}

/**
 * @param schema of the tenant, or the platform's
 * @param except functions that are not looked at, by name
 */
export async function functionMutants(
  superuser: pg.Client,
  schema: string,
  except: RegExp,
): Promise<readonly FunctionMutant[]> {
  const { rows } = await superuser.query<{
    name: string;
    signature: string;
    definition: string;
    callers: string[];
    everybody: boolean;
  }>(
    `select p.proname as name, p.oid::regprocedure::text as signature, pg_get_functiondef(p.oid) as definition,
       array(select x.grantee::regrole::text from aclexplode(p.proacl) x
         where x.grantee not in (p.proowner, 0) and x.grantee::regrole::text !~ '__(system|member)"?$' order by 1) as callers,
       exists (select from aclexplode(p.proacl) x where x.grantee::regrole::text ~ '__member"?$') as everybody
     from pg_proc p where p.pronamespace = $1::regnamespace and p.prosecdef and p.prorettype <> 'trigger'::regtype order by 1`,
    [quote(schema)],
  );
  return rows
    .filter(({ name }) => !except.test(name))
    .flatMap(({ name, signature, definition, callers, everybody }) => {
      const base = { table: name, role: null, column: null, parts: ['call'] as const, equivalent: null };
      const body = definition.indexOf('AS $');
      const loosened = loosen(definition, body).map(({ title, sql, group }) => ({
        ...base,
        title: `${name}: ${title}`,
        sql,
        ...(group && { group }),
      }));
      // Whoever is a member may call what everybody may; then a role's own right adds nothing.
      const gone = everybody
        ? []
        : callers.map((caller) => ({
            ...base,
            title: `${name}: ${caller} may no longer call it`,
            role: caller.replaceAll('"', ''),
            sql: `revoke execute on function ${signature} from ${caller}`,
          }));
      return [...loosened, ...gone];
    });
}

interface Loosened {
  readonly title: string;
  readonly sql: string;
  readonly group?: FunctionMutant['group'];
}

/**
 * Every member of every condition that decides for whom it is left out; of a group of roles every role. What a command
 * does once it is allowed is not looked at here, nor what a role's condition is made of: policies are made of the same.
 */
function loosen(definition: string, body: number): readonly Loosened[] {
  let groups = 0;
  const asks = definition.includes('pg_has_role');
  const decides = (span: Span): boolean =>
    !asks || textOf(definition, span).includes('pg_has_role') || /armature\.refuse/.test(lineAfter(definition, span));
  // A search that finds less shows nothing; a function that returns early because there is nothing to find is quicker.
  const lessIsFine = /function \w+\.search_/i.test(definition.slice(0, 80));
  const early = conditionsIn(definition).filter(({ to }) => /^\s*then\s+return;/.test(definition.slice(to)));
  const isEarly = (span: Span) => early.some(({ from, to }) => span.from >= from && span.to <= to);
  return conditionsIn(definition)
    .filter((span) => span.from > body && decides(span) && !isEarly(span))
    .flatMap((condition) => {
      const line = definition.slice(0, condition.from).split('\n').length;
      const visit = (span: Span, otherwise: 'true' | 'false'): readonly Loosened[] => {
        const text = textOf(definition, span);
        if (GROUP.test(text) && inBrackets(definition, span) !== null) return ofGroup(definition, span, groups++);
        const branches = [...text.matchAll(/(?<=\b(?:then|else) )\(pg_catalog\.pg_has_role/g)];
        if (text.startsWith('case') && branches.length > 0)
          return branches.flatMap(({ index }) => {
            const group = bracketAt(definition, span.from + index);
            return group ? ofGroup(definition, group, groups++) : [];
          });
        const ors = membersOf(definition, span, 'or');
        if (ors.length > 1) return ors.flatMap((one) => visit(one, 'false'));
        const ands = membersOf(definition, span, 'and');
        if (ands.length > 1) return ands.flatMap((one) => visit(one, 'true'));
        const inner = inBrackets(definition, span);
        if (inner) return visit(inner, otherwise);
        if (NO_RIGHT.test(text) || (lessIsFine && otherwise === 'false') || (asks && IDS.test(text))) return [];
        const title = `line ${line}, ${text.replaceAll(/\s+/g, ' ').slice(0, 80)} → ${otherwise}`;
        return [{ title, sql: replaced(definition, span, otherwise) }];
      };
      // What is refused on a condition is refused no more.
      const refuses = /^\s*then\s+(?:perform armature\.refuse|raise|return null)/.test(definition.slice(condition.to));
      return visit(condition, refuses ? 'false' : 'true');
    });
}

const lineAfter = (definition: string, { to }: Span): string => definition.slice(to).split('\n')[0] ?? '';

function ofGroup(definition: string, span: Span, index: number): readonly Loosened[] {
  const whole: Loosened = {
    title: `whom group ${index + 1} asks for is everybody`,
    sql: replaced(definition, span, 'true'),
    group: { index, role: null, how: 'all' },
  };
  const inner = inBrackets(definition, span);
  const members = inner ? membersOf(definition, inner, 'or') : [];
  // The first is the service principals', which no person is.
  const single = members.slice(1).flatMap((member): readonly Loosened[] => {
    const text = textOf(definition, member);
    const [, role = ''] = ROLE.exec(text) ?? [];
    const gone = {
      title: `group ${index + 1} knows no ${role}`,
      sql: replaced(definition, member, 'false'),
      group: { index, role, how: 'gone' as const },
    };
    const [has] = /pg_catalog\.pg_has_role\([^)]*\)[^)]*\)/.exec(text) ?? [];
    if (!text.startsWith('(') || has === undefined) return [gone];
    const title = `group ${index + 1} asks ${role} for no condition`;
    return [gone, { title, sql: replaced(definition, member, has), group: { index, role, how: 'all' } }];
  });
  return [whole, ...single];
}

/** The pair of brackets that begins here. */
function bracketAt(sql: string, from: number): Span | null {
  let depth = 0;
  for (const match of sql.slice(from).matchAll(/'(?:[^']|'')*'|[()]/g)) {
    if (match[0] === '(') depth++;
    if (match[0] === ')') depth--;
    if (depth === 0) return { from, to: from + match.index + 1 };
  }
  return null;
}
