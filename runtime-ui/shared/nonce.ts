/** The nonce of this response, as the server wrote it into the page: styles added at run time carry it. */
export const nonce: string = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
