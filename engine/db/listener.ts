/** A connection that listens on a channel of NOTIFY, and comes back when it is lost. */
import pg from 'pg';
import type { Address, Credentials } from './connection.ts';
import { quote } from './identifiers.ts';

/** Milliseconds between attempts to connect, doubled up to the longest. */
const PAUSE = { first: 100, longest: 5000 };

export interface ListenerOptions {
  readonly address: Address;
  readonly credentials: Credentials;
  readonly channel: string;
  readonly onMessage: (payload: string) => void;
  /** It listens again: what was said in between is lost. */
  readonly onConnected: () => void;
  readonly onLost: () => void;
}

export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pause = PAUSE.first;
  #closed = false;
  #connecting: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Connects in the background; the promise is for those who want to wait for the first attempt. */
  start(): Promise<void> {
    this.#connecting = this.#connect();
    return this.#connecting;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#connecting;
    await this.#client?.end().catch(() => {});
    this.#client = null;
  }

  async #connect(): Promise<void> {
    const { address, credentials, channel, onMessage, onConnected } = this.#options;
    const { host, port, database } = address;
    const client = new pg.Client({
      host,
      port,
      database,
      ...credentials,
      ...(address.ssl ? { ssl: { rejectUnauthorized: true } } : {}),
      application_name: 'armature releases',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    });
    let lost = false;
    const lose = () => {
      if (lost) return;
      lost = true;
      if (this.#client === client) this.#client = null;
      this.#again();
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', ({ payload }) => onMessage(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${quote(channel)}`);
      if (lost) return;
      this.#client = client;
      this.#pause = PAUSE.first;
      if (this.#closed) await client.end();
      else onConnected();
    } catch {
      await client.end().catch(() => {});
      lose();
    }
  }

  #again(): void {
    if (this.#closed || this.#timer) return;
    this.#options.onLost();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (!this.#closed) void this.start();
    }, this.#pause);
    this.#timer.unref();
    this.#pause = Math.min(this.#pause * 2, PAUSE.longest);
  }
}
