/**
 * Whether a domain takes mail: an MX record, or else an address (RFC 5321 §5.1); a null MX (RFC 7505) says it does not.
 * Only a definite no counts. A name server that does not answer, or cannot, is no reason to refuse an address.
 */
import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import type { Clock } from '../clock.ts';

/** `unknown`: the DNS did not say. */
export type Verdict = 'yes' | 'no' | 'unknown';

/** The part of a DNS client that is used; `cancel` makes what is under way fail. */
export type MailResolver = Pick<Resolver, 'resolveMx' | 'resolve4' | 'resolve6' | 'cancel'>;

/** Milliseconds that a lookup, and a write because of lookups, takes at most. */
export const PATIENCE = 1_500;
/** Milliseconds for which an answer is kept. A DNS that is down is not waited for by every write. */
const KEPT = { yes: 3_600_000, no: 300_000, unknown: 30_000 } as const satisfies Record<Verdict, number>;
/** Domains that are remembered; the one that was not asked for the longest goes first. */
const REMEMBERED = 10_000;
/** Lookups of one write at a time. */
const AT_ONCE = 16;

interface Entry {
  readonly verdict: Promise<Verdict>;
  until: number;
}

export interface MailDomainsOptions {
  readonly clock: Clock;
  /** A client for one lookup; the system's name servers when left out. */
  readonly open?: (() => MailResolver) | undefined;
  /** Milliseconds that a lookup takes at most (default {@link PATIENCE}). */
  readonly patience?: number;
}

export class MailDomains {
  readonly #known = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #open: () => MailResolver;
  readonly #patience: number;

  constructor({ clock, open, patience = PATIENCE }: MailDomainsOptions) {
    this.#clock = clock;
    this.#patience = patience;
    this.#open = open ?? (() => new Resolver({ timeout: 600, tries: 2 }));
  }

  /**
   * @param patience milliseconds; what has no answer by then is not among those refused
   * @returns those of the domains to which no mail can be delivered
   */
  async refusing(domains: ReadonlySet<string>, patience: number): Promise<ReadonlySet<string>> {
    const refused = new Set<string>();
    const left = [...domains];
    let late = false;
    const work = async (): Promise<void> => {
      for (let domain = left.pop(); domain !== undefined && !late; domain = left.pop())
        if ((await this.#verdict(domain)) === 'no' && !late) refused.add(domain);
    };
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, patience));
    });
    await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, work)), deadline]);
    clearTimeout(timer);
    late = true;
    return refused;
  }

  /** Writes that ask together share one lookup. */
  #verdict(domain: string): Promise<Verdict> {
    const known = this.#known.get(domain);
    const entry =
      known && known.until > this.#clock.now()
        ? known
        : { verdict: this.#look(domain), until: Number.POSITIVE_INFINITY };
    this.#known.delete(domain);
    this.#known.set(domain, entry);
    if (entry === known) return entry.verdict;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return entry.verdict.then((verdict) => {
      entry.until = this.#clock.now() + KEPT[verdict];
      return verdict;
    });
  }

  async #look(domain: string): Promise<Verdict> {
    const name = domainToASCII(domain);
    if (name === '') return 'unknown';
    const resolver = this.#open();
    const timer = setTimeout(() => resolver.cancel(), this.#patience);
    try {
      return await mailVerdict(resolver, name);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function mailVerdict(resolver: MailResolver, name: string): Promise<Verdict> {
  const servers = await answers(resolver.resolveMx(name));
  if (typeof servers === 'string') return servers;
  // RFC 7505 §3: one record, whose exchange is the root.
  if (servers.length > 0) return servers.some(({ exchange }) => exchange !== '' && exchange !== '.') ? 'yes' : 'no';
  const addresses = await Promise.all([answers(resolver.resolve4(name)), answers(resolver.resolve6(name))]);
  if (addresses.some((found) => Array.isArray(found) && found.length > 0)) return 'yes';
  return addresses.includes('unknown') ? 'unknown' : 'no';
}

/** The records; none where the name has none of this kind; `no` where there is no such name. */
async function answers<T>(lookup: Promise<readonly T[]>): Promise<readonly T[] | 'no' | 'unknown'> {
  try {
    return await lookup;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENODATA') return [];
    return code === 'ENOTFOUND' ? 'no' : 'unknown';
  }
}
