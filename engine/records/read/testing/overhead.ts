/**
 * What a read costs in this process: from the query string to the statements, for a shape that was seen before.
 * `node engine/records/read/testing/overhead.ts`
 */
import { systemClock } from '../../../clock.ts';
import { parseUrlQuery } from '../../query/url.ts';
import { parseSelect } from '../../query/terms.ts';
import { Cursors } from '../cursor.ts';
import { Lists } from '../lists.ts';
import { oneStatement } from '../one-statement.ts';
import { entityOf, scopeOf, tradeModel, tradeTenant } from './model.ts';

const ROUNDS = 50_000;

const model = await tradeModel();
const tenant = tradeTenant('bench');
const deal = entityOf(model, 'trade.deal');
const lists = new Lists(new Cursors('not a secret'), systemClock);
const select = parseSelect('id,name,amount,customer(id,name)');

/** The values change, the shape does not. */
const reads: Readonly<Record<string, (round: number) => string>> = {
  'list, sorted and filtered': (round) => `stage=open&amount[gte]=${round % 1000}.00&$order=-amount,name&$first=50`,
  'list with a reference and children embedded': (round) =>
    `rank[lt]=${round}&$select=id,name,amount,customer(id,name),lines(id,product(name))&$order=-created_at&$first=50`,
  'list filtered through a reference, with search': (round) => `customer.country=DE&$search=a${round}&$order=name`,
  'list with three filters and a count': (round) =>
    `stage[in]=open,won&rank[between]=1,${round}&hot=true&$count=capped`,
};

for (const role of ['boss', 'rep']) {
  const scope = scopeOf(tenant, model, role, '00000000-0000-7000-8000-000000000101');
  for (const [name, write] of Object.entries(reads)) {
    measure(`${role}: ${name}`, (round) => lists.prepare(scope, deal, parseUrlQuery(write(round))).statements.length);
  }
  measure(
    `${role}: one record`,
    (round) =>
      oneStatement(scope, deal, select, `00000000-0000-7000-8000-${String(round).padStart(12, '0')}`).values.length,
  );
}

function measure(name: string, work: (round: number) => number): void {
  for (let round = 0; round < ROUNDS / 5; round += 1) work(round);
  const start = process.hrtime.bigint();
  let kept = 0;
  for (let round = 0; round < ROUNDS; round += 1) kept += work(round);
  const micros = Number(process.hrtime.bigint() - start) / 1000 / ROUNDS;
  process.stdout.write(`${micros.toFixed(1).padStart(7)} µs  ${name}${kept < 0 ? '!' : ''}\n`);
}
