import { createHash } from 'node:crypto'
import type { AccountsConfig } from '../../shared/accounts.ts'
import type { Reply } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'
import { forms, type PageForm } from './forms.ts'
import { script } from './page-script.ts'
import { style } from './page-style.ts'

/** The page at a path under `/auth`; null if there is none, or the request does not ask for one. */
export function pageOf(located: Located, config: AccountsConfig): Reply | null {
  const { method, segments } = located
  const [, name, ...rest] = segments
  if ((method !== 'GET' && method !== 'HEAD') || rest.length > 0) return null
  const isBelow = located.path.endsWith('/')
  if (name === undefined) return redirect(isBelow ? 'sign-in' : 'auth/sign-in')
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  if (!form || (name === 'register' && config.signUp !== 'open')) return null
  // What a page asks for and leads to is relative to its own path.
  if (isBelow) return redirect(`../${name}${located.search}`)
  const html = document(name, form, config)
  return { status: 200, headers, body: method === 'HEAD' ? null : html }
}

/** Nothing from anywhere, no frame around it, and no script but the one in it. */
const headers = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${digestOf(style)}'`,
    `script-src 'sha256-${digestOf(script)}'`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

function redirect(to: string): Reply {
  return { status: 302, headers: { Location: to, 'Cache-Control': 'no-store' }, body: '' }
}

/** `name` and what is in a form are ours; nothing that a client sent is in a page. */
function document(name: string, form: PageForm, { signUp }: AccountsConfig): string {
  const links = form.links
    .filter(({ to }) => to !== 'register' || signUp === 'open')
    .map(({ to, says }) => `<a href="${to}">${says}</a>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${form.title} – Carcosa</title>
<style>${style}</style>
</head>
<body data-page="${name}">
<header>
<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M24.5 8.5a11 11 0 1 0 0 15"/><circle cx="25" cy="16" r="2.6"/></svg>
<span class="wordmark">Carcosa</span>
</header>
<main>
<h1 id="title">${form.title}</h1>
<p class="lead" id="lead">${form.lead}</p>
<p class="lead" id="without">This page needs JavaScript.</p>
<form id="form" hidden>
<div id="fields">${form.fields.map(fieldOf).join('\n')}</div>
<p id="notice" role="alert"></p>
<button type="submit" class="primary">${form.button}</button>
</form>
<p class="links" id="links">${links.join('')}</p>
</main>
<script>${script}</script>
</body>
</html>
`
}

function fieldOf({
  name,
  label,
  autocomplete,
  hint,
  ...field
}: PageForm['fields'][number]) {
  const { type, minLength } = field
  const described = hint ? ` aria-describedby="${name}-hint"` : ''
  const shown = hint ? `<span class="hint" id="${name}-hint">${hint}</span>` : ''
  const least = minLength ? ` minlength="${minLength}"` : ''
  return `<label for="${name}">${label}</label><input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" required${least}${described}>${shown}`
}
