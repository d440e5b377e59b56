import type { Reply } from '../../shared/reply.ts'
import type { ApiDocument } from './document.ts'

/** `GET /docs`: the document for people. */
export function docsReply({ paths = {} }: ApiDocument): Reply {
  const list = Object.keys(paths).map((path) => `<li><code>${path}</code></li>`)
  return {
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' },
    body: `<!doctype html><html lang="en"><title>Carcosa API</title><ul>${list.join('')}</ul></html>`,
  }
}
