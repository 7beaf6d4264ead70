/** Why Armature cannot start, in words for the person at the terminal. Printed without a stack. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
