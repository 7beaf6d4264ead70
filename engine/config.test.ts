import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { StartupError } from './db/startup-error.ts';

describe('the configuration', () => {
  test('needs nothing from the environment', () => {
    expect(readConfig({}, '/srv/armature')).toEqual({
      port: 3000,
      host: '127.0.0.1',
      home: '/srv/armature/.armature',
      postgres: null,
      cells: new Map(),
      redis: null,
      secret: null,
      publicUrl: null,
      trustedProxies: 0,
      files: null,
      fileLimit: 25 * 1024 * 1024,
      logLevel: 'info',
      outboxDays: 7,
      plugins: [],
      demo: true,
      keepAsideDays: 90,
    });
  });

  test('takes every variable', () => {
    const config = readConfig({
      PORT: '8080',
      HOST: '0.0.0.0',
      ARMATURE_HOME: '/var/lib/armature',
      DATABASE_URL: 'postgres://ann%40x:p%2Fw@db.example:6543/crm?sslmode=require',
      ARMATURE_CELLS: 'b=postgres://b:pw@b.example/crm, c=postgres://c:p%2Cw@c.example:5433/crm',
      REDIS_URL: 'rediss://ann:pw@cache.example:6380/1',
      ARMATURE_SECRET: 's'.repeat(40),
      ARMATURE_PUBLIC_URL: 'https://crm.example/base/',
      ARMATURE_TRUSTED_PROXIES: '2',
      ARMATURE_PLUGINS: '/opt/harbour, /opt/berths',
      ARMATURE_FILES: 's3://papers/x',
      ARMATURE_FILE_LIMIT: '100',
      LOG_LEVEL: 'WARN',
    });
    expect(config).toEqual({
      port: 8080,
      host: '0.0.0.0',
      home: '/var/lib/armature',
      postgres: {
        address: { host: 'db.example', port: 6543, database: 'crm', ssl: true },
        admin: { user: 'ann@x', password: 'p/w' },
      },
      cells: new Map([
        ['b', { address: { host: 'b.example', port: 5432, database: 'crm' }, admin: { user: 'b', password: 'pw' } }],
        ['c', { address: { host: 'c.example', port: 5433, database: 'crm' }, admin: { user: 'c', password: 'p,w' } }],
      ]),
      redis: 'rediss://ann:pw@cache.example:6380/1',
      secret: 's'.repeat(40),
      publicUrl: 'https://crm.example/base',
      trustedProxies: 2,
      files: 's3://papers/x',
      fileLimit: 100 * 1024 * 1024,
      logLevel: 'warn',
      outboxDays: 7,
      plugins: ['/opt/harbour', '/opt/berths'],
      demo: false,
      keepAsideDays: 90,
    });
  });

  test('understands an IPv6 host and an empty variable', () => {
    const config = readConfig({ DATABASE_URL: 'postgresql://u@[::1]/d', PORT: '', LOG_LEVEL: ' ' });
    expect(config.postgres?.address).toEqual({ host: '::1', port: 5432, database: 'd' });
    expect([config.port, config.logLevel]).toEqual([3000, 'info']);
  });

  test.each([
    ['PORT', 'abc'],
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['HOST', 'http://x'],
    ['ARMATURE_FILE_LIMIT', '0'],
    ['DATABASE_URL', 'mysql://u@h/d'],
    ['DATABASE_URL', 'nonsense'],
    ['DATABASE_URL', 'postgres://h/d'],
    ['DATABASE_URL', 'postgres://u@h'],
    ['DATABASE_URL', 'postgres://u@h/d?sslmode=maybe'],
    ['ARMATURE_CELLS', 'postgres://u@h/d'],
    ['ARMATURE_CELLS', 'B=postgres://u@h/d'],
    ['ARMATURE_CELLS', 'b=mysql://u@h/d'],
    ['ARMATURE_CELLS', 'b=postgres://u@h/d,b=postgres://u@i/d'],
    ['REDIS_URL', 'http://cache.example'],
    ['REDIS_URL', 'nonsense'],
    ['ARMATURE_SECRET', 'short'],
    ['ARMATURE_PUBLIC_URL', 'crm.example'],
    ['ARMATURE_PUBLIC_URL', 'ftp://crm.example'],
    ['ARMATURE_TRUSTED_PROXIES', '-1'],
    ['ARMATURE_TRUSTED_PROXIES', 'all'],
    ['LOG_LEVEL', 'loud'],
    ['ARMATURE_DEMO', 'maybe'],
    ['ARMATURE_KEEP_ASIDE_DAYS', 'long'],
  ])('refuses %s=%s with a sentence that names the variable', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(StartupError);
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} .*\\.$`, 's'));
  });

  test('never repeats the password of DATABASE_URL', () => {
    expect(() => readConfig({ DATABASE_URL: 'postgres://u:geheim@h' })).toThrow(/^(?!.*geheim)/s);
  });
});
