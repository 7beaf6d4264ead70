/** Signing in where there are several cells: the one place that does not know yet where somebody belongs. */
import type { Credentials, Identity, Origin, SignedIn } from '../identity/identity.ts';
import { cellOfToken } from '../identity/token.ts';
import { Problem, type ProblemDetail } from '../problem.ts';
import type { Services } from '../services.ts';
import type { Cells } from './cells.ts';

/** The identity of the home cell as HTTP has it: it signs in people of all cells, and refuses tokens of cells out of reach. */
export function identityOfCells(cells: Cells): Identity {
  const { identity } = cells.home;
  const by = (token: string): Identity => {
    const key = cellOfToken(token);
    return key !== null && cells.keys.includes(key) ? cells.services(key).identity : identity;
  };
  return {
    signIn: async (credentials, origin) => {
      const organisation = credentials.organisation?.trim();
      if (!organisation) return anywhere(cells, credentials, origin);
      return (await cells.of(organisation)).identity.signIn(credentials, origin);
    },
    signOut: async (token) => by(token).signOut(token),
    authenticate: (token) => by(token).authenticate(token),
    principalOf: (tenant, userId) => identity.principalOf(tenant, userId),
    issueToken: (request) => identity.issueToken(request),
    setPassword: (principal, change) => identity.setPassword(principal, change),
    recordChanged: (tenant, entity, recordId) => identity.recordChanged(tenant, entity, recordId),
    invalidate: (tenant, userId) => identity.invalidate(tenant, userId),
  };
}

/** @throws Problem as {@link Identity.signIn} does, over all cells */
async function anywhere(cells: Cells, credentials: Credentials, origin: Origin | undefined): Promise<SignedIn> {
  const found: { readonly signedIn: SignedIn; readonly services: Services }[] = [];
  const choices: unknown[] = [];
  const refusals: unknown[] = [];
  await Promise.all(
    cells.reachable().map(async ({ services }) => {
      try {
        found.push({ signedIn: await services.identity.signIn(credentials, origin), services });
      } catch (error) {
        const organisations = organisationsIn(error);
        if (organisations) choices.push(...organisations);
        else refusals.push(error);
      }
    }),
  );
  const [only] = found;
  if (only && found.length === 1 && choices.length === 0) return only.signedIn;
  if (!only && choices.length === 0) throw worst(refusals, cells.reachable().length <= cells.keys.length);
  // Several: nobody has chosen yet, so nobody is signed in.
  for (const { signedIn, services } of found) {
    const { tenant } = await services.models.get(signedIn.principal.tenant);
    choices.push({ key: tenant.key, name: tenant.name });
    await services.identity.signOut(signedIn.token);
  }
  const message = 'You belong to several organisations. Choose one.';
  const detail: ProblemDetail = {
    code: 'organisation_required',
    message,
    pointer: '/organisation',
    params: { organisations: choices },
  };
  throw new Problem('invalid', message, [detail]);
}

function organisationsIn(error: unknown): readonly unknown[] | null {
  const detail = error instanceof Problem && error.errors.find(({ code }) => code === 'organisation_required');
  const organisations = detail && detail.params?.['organisations'];
  return Array.isArray(organisations) ? organisations : null;
}

/**
 * What went wrong goes before "wrong password", which every cell says that knows nobody.
 * @param away whether there is a cell that cannot be reached now: whoever lives there is not known, so everybody hears of it
 */
function worst(refusals: readonly unknown[], away: boolean): unknown {
  const wrong = refusals.find((error) => !(error instanceof Problem) || error.code !== 'invalid_credentials');
  if (wrong !== undefined || !away) return wrong ?? refusals[0];
  return new Problem(
    'invalid_credentials',
    'The e-mail or the password is wrong, or your organisation cannot be reached now.',
    [],
    { cause: refusals[0] },
  );
}
