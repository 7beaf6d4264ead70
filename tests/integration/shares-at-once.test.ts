/** Many share one record with one person at the same time. */
import { expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTeam } from '../support/tenant.ts';

const app = await testApp(await testDatabase());
const { north, person } = await makeTeam(app);
const boss = await person('boss', 'manager');
const rep = await person('rep', 'sales_rep');

test('each is answered, and one share is left', async () => {
  const made = await boss.client.post('/api/crm/v1/accounts', { name: 'Larch' });
  const shares = `/api/crm/v1/accounts/${made.json.data?.id}/shares`;
  for (const to of [{ user: rep.id }, { team: north }]) {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => boss.client.post(shares, { ...to, level: at % 2 ? 'read' : 'write' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  }
  const { json } = await boss.client.get(shares);
  const live = [json.data?.['shares'] ?? []].flat().filter((one) => JSON.stringify(one).includes('"state":"live"'));
  expect(live).toHaveLength(2);
});
