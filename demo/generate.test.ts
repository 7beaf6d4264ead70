import { describe, expect, test } from 'vitest';
import { FULL, generate } from './generate.ts';

const TODAY = Date.UTC(2026, 2, 2);
const demo = generate(TODAY);
const count = (stage: string) => demo.opportunities.filter((deal) => deal.stage === stage).length;

describe('the demo organisation', () => {
  test('is the same every time', () => {
    expect(generate(TODAY)).toEqual(demo);
  });

  test('has thirty people in five teams, each team with a manager', () => {
    expect(demo.users).toHaveLength(30);
    expect(demo.teams).toHaveLength(5);
    expect(demo.users.filter(({ role }) => role === 'administrator')).toHaveLength(1);
    const led = demo.users.filter(({ role }) => role === 'manager').map(({ team }) => team);
    expect(led.sort()).toEqual(demo.teams.map(({ key }) => key).sort());
    expect(new Set(demo.users.map(({ email }) => email)).size).toBe(30);
    expect(demo.users.every(({ email }) => email.endsWith('@demo.example'))).toBe(true);
  });

  test('is as large as it says', () => {
    expect(demo).toMatchObject({
      accounts: { length: FULL.accounts },
      contacts: { length: FULL.contacts },
      opportunities: { length: FULL.opportunities },
      activities: { length: FULL.activities },
    });
    expect(new Set(demo.accounts.map(({ name }) => name)).size).toBe(FULL.accounts);
    expect(new Set(demo.contacts.map(({ email }) => email)).size).toBe(FULL.contacts);
  });

  test('spreads its accounts over all representatives', () => {
    const owners = Map.groupBy(demo.accounts, ({ owner }) => owner);
    expect(owners.size).toBe(demo.users.filter(({ role }) => role === 'sales_rep').length);
    expect([...owners.values()].every((owned) => owned.length > 60)).toBe(true);
  });

  test('wins a believable part of two years of business', () => {
    const rate = count('won') / (count('won') + count('lost'));
    expect(rate).toBeGreaterThan(0.55);
    expect(rate).toBeLessThan(0.7);
    expect(count('engaging')).toBeGreaterThan(150);
    expect(count('prospecting')).toBeGreaterThan(50);
    const over = demo.opportunities.filter(({ stage }) => stage === 'won' || stage === 'lost');
    expect(over.every(({ closes }) => Date.parse(closes) <= TODAY)).toBe(true);
    const begun = demo.opportunities.filter(({ engaged }) => engaged !== null);
    expect(begun.every(({ closes, engaged }) => Date.parse(engaged ?? '') <= Date.parse(closes))).toBe(true);
    expect(demo.opportunities.every(({ lines }) => lines.length > 0)).toBe(true);
  });

  test('writes only to addresses that cannot exist', () => {
    const addresses = [...demo.users, ...demo.contacts].map(({ email }) => email);
    expect(addresses.every((email) => /^[a-z0-9.-]+@[a-z0-9-]+\.example$/.test(email))).toBe(true);
  });
});
