/** Start: nonce for every style the libraries add, texts, router, then the application. */
import './theme/theme.css';
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { startRouter } from './app/place.ts';
import { speak, startI18n, storedLocale } from './i18n/i18n.ts';
import { nonce } from './shared/nonce.ts';

setNonce(nonce);
startRouter();
const locale = storedLocale();
await startI18n(locale);
await speak(locale);
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
