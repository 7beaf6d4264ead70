/** Who acts. Made by `identity/authenticate.ts` for people and programs, by `identity/service-principals.ts` for the named jobs. */
export interface Principal {
  readonly tenant: string;
  /** Record id of the user in `core.user`; `null` for service principals. */
  readonly userId: string | null;
  readonly name: string;
  readonly email: string | null;
  /** Role keys, sorted. */
  readonly roles: readonly string[];
  /** The database role that carries these roles' rights, e.g. `t_acme__sales_rep` or a role-set role. */
  readonly dbRole: string;
  /** The user's own team, `null` without one. */
  readonly team: string | null;
  /** Own team and those under it (ids). */
  readonly teams: readonly string[];
  /** Users of these teams (ids): the user among them, nobody where there is no team. */
  readonly teamMembers: readonly string[];
  /** Further attributes that conditions may use (`department`, …): text only. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly locale: string;
  readonly timeZone: string;
}
