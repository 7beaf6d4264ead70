/**
 * Whether lists and calendars of inputs open at the end of the page (the default: nothing cuts them off) or beside
 * their input. Inside a popover they must stay inside: a click elsewhere would close the popover.
 */
import { createContext, useContext } from 'react';

export const PortalContext = createContext(true);
export function usePortal(): boolean {
  return useContext(PortalContext);
}
