// The script of a page: it uses a server of another origin, and tells its own what it saw.
import { useAll } from './typescript.mjs';

const { url, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
await fetch('/seen', { method: 'POST', body: JSON.stringify(await useAll(url, token)) });
