/** Who may enter: sign-in, sessions, tokens. The implementation is in `password-identity.ts`. */
import type { Principal } from './principal.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Key of the organisation (tenant), needed only when the e-mail belongs to several. */
  readonly organisation?: string | undefined;
}

/** Where a request came from, for throttling. */
export interface Origin {
  /** The client's address, as the server trusts it. */
  readonly ip: string;
}

export interface SignedIn {
  /** The secret to hand out, once: `arm_`, the cell with a point (but for home), and 43 base64url characters. Only its hash is stored. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly principal: Principal;
}

export interface TokenRequest {
  readonly tenant: string;
  /** The user's record id or e-mail. */
  readonly user: { readonly id: string } | { readonly email: string };
  /** A name by which the person recognises it, e.g. `nightly export`. */
  readonly label?: string | undefined;
  /** Milliseconds until it expires (default 365 days). */
  readonly ttl?: number | undefined;
}

export interface PasswordChange {
  readonly userId: string;
  readonly password: string;
  /** Needed when people change their own password. */
  readonly oldPassword?: string | undefined;
  /** The token of the page it is done from, which stays signed in. */
  readonly keepToken?: string | undefined;
}

export interface Identity {
  /**
   * Signs in with e-mail and password and opens a session (`cookie`, 7 days).
   * @throws Problem `invalid_credentials` (unknown e-mail, wrong password and inactive user alike),
   *   `too_many_requests`, or `invalid` with the detail code `organisation_required` and
   *   `params: { organisations: [{ key, name }] }` when the password matches in several organisations
   */
  signIn(credentials: Credentials, origin?: Origin): Promise<SignedIn>;

  /**
   * The principal a token stands for; `null` when it is unknown, expired, or its user is inactive or gone.
   * @returns at once for whoever has asked a moment ago, as with nearly every request
   */
  authenticate(token: string): Principal | null | Promise<Principal | null>;

  /** The principal of a user, for a job that acts on behalf of a person; `null` as above. */
  principalOf(tenant: string, userId: string): Principal | null | Promise<Principal | null>;

  /** Ends the session or revokes the token. Unknown tokens are fine. */
  signOut(token: string): Promise<void>;

  /**
   * A bearer token for a program.
   * @throws Problem `not_found` when there is no such active user
   */
  issueToken(request: TokenRequest): Promise<SignedIn>;

  /**
   * Sets a password; the person's signed-in pages end, tokens of programs stay.
   * @throws Problem `forbidden` unless the principal is an administrator or it is their own password with the old one;
   *   `invalid` when the password is too weak; `not_found` when there is no such user
   */
  setPassword(principal: Principal, change: PasswordChange): Promise<void>;

  /**
   * Told of every committed change of a record.
   * @param entity qualified name
   * @param recordId `null` for many new records at once
   */
  recordChanged(tenant: string, entity: string, recordId: string | null): Promise<void>;

  /** Forgets what is cached about a tenant's people (or one of them), so that the next request sees what is stored. */
  invalidate(tenant: string, userId?: string): Promise<void>;
}
