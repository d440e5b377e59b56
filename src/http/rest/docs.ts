import { createHash } from 'node:crypto'
import type { Reply } from '../../shared/reply.ts'
import {
  type DescribedOperation,
  operationSection,
  type Placed,
} from './docs-operation.ts'
import { anchorOf, fieldsOf, fieldTable, type Schema, typeOf } from './docs-schema.ts'
import { style } from './docs-style.ts'
import type { ApiDocument } from './document.ts'
import { escapeHtml, prose } from './html.ts'

/** `GET /docs`: the document for people. Nothing of it comes from elsewhere, and nothing runs. */
export function docsReply(document: ApiDocument, prefix: string): Reply {
  const hash = createHash('sha256').update(style).digest('base64')
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      // It belongs to the version of the server that is running.
      'Cache-Control': 'no-cache',
    },
    body: page(document, prefix),
  }
}

function page(document: ApiDocument, prefix: string): string {
  const operations = placed(document)
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0] ?? ''))]
  const of = (tag: string) =>
    operations.filter(({ operation }) => operation.tags[0] === tag)
  const sections = tags.map(
    (tag) =>
      `<section><h2 id="${tagAnchor(tag)}">${escapeHtml(tag)}</h2>${of(tag).map(operationSection).join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Carcosa REST API</title><style>${style}</style></head>
<body><header><div class="name"><svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M24.5 8.5a11 11 0 1 0 0 15"/><circle cx="25" cy="16" r="2.6"/></svg><span class="wordmark">Carcosa</span></div></header>
<div class="columns"><nav aria-label="Operations"><div class="tags">${tags.map((tag) => contents(tag, of(tag))).join('')}<div><a class="tag" href="#schemas">Schemas</a></div></div></nav>
<main><h1>REST API</h1>${prose(document.info.description ?? '')}<p>The same for programs: <a href="${escapeHtml(prefix)}/api/v1/openapi.json">OpenAPI ${escapeHtml(document.openapi)}</a>.</p>${sections.join('')}${schemas(document)}</main></div>
</body></html>`
}

function contents(tag: string, operations: readonly Placed[]): string {
  const items = operations.map(
    ({ operation: { operationId, summary } }) =>
      `<li><a href="#${escapeHtml(operationId)}">${escapeHtml(summary)}</a></li>`,
  )
  return `<div><a class="tag" href="#${tagAnchor(tag)}">${escapeHtml(tag)}</a><ul>${items.join('')}</ul></div>`
}

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

function placed({ paths = {} }: ApiDocument): Placed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      // The document is ours, and has no references where operations look for values.
      const operation = item[method] as DescribedOperation | undefined
      return operation ? [{ method, path, operation }] : []
    }),
  )
}

function schemas({ components }: ApiDocument): string {
  // As above.
  const named = Object.entries((components?.schemas ?? {}) as Record<string, Schema>)
  const sections = named.map(([name, schema]) => {
    const fields = fieldsOf(schema)
    const said =
      fields.length > 0 ? fieldTable(fields, false) : `<p>${typeOf(schema)}</p>`
    return `<details><summary><code class="path">${escapeHtml(name)}</code></summary><div class="inside" id="${anchorOf(name)}">${said}</div></details>`
  })
  return `<section><h2 id="schemas">Schemas</h2>${sections.join('')}</section>`
}

function tagAnchor(tag: string): string {
  return encodeURIComponent(tag.toLowerCase().replaceAll(' ', '-'))
}
