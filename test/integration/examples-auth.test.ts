/** The examples of examples/auth, with keys made here and a server that publishes them. */
import { createServer } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { authjs, signedSessions } from '../../examples/auth/authjs.ts'
import config from '../../examples/auth/carcosa.config.ts'
import { clerk } from '../../examples/auth/clerk.ts'
import { supabase } from '../../examples/auth/supabase.ts'
import type { AuthProvider } from '../../src/auth/principal.ts'
import { type Issuer, startIssuer } from '../support/issuer.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

const test = suite('examples/auth')
let server: TestServer
let provider: AuthProvider
const servers: { close(): unknown }[] = []

test.before(async () => {
  const auth: AuthProvider = {
    name: 'example',
    authenticate: (request) => provider.authenticate(request),
  }
  server = await startServer({ auth: [auth] })
})
test.after(async () => {
  await server.close()
  for (const one of servers) await one.close()
})

async function upload(headers: Record<string, string>, route = 'mine') {
  const answer = await server.doors.http({
    method: 'POST',
    path: `/uploads/${route}`,
    headers: { 'Upload-Length': '5', ...headers },
  })
  const { location } = answer.headers
  const row = location ? await server.row(location) : null
  return { status: answer.status, ownerId: row?.ownerId ?? null }
}
const bearing = (token: string) => ({ Authorization: `Bearer ${token}` })
const found = (headers: Record<string, string>) =>
  provider.authenticate({ method: 'GET', url: '/', headers: new Headers(headers) })

async function issuerOf(alg: 'RS256' | 'ES256'): Promise<Issuer> {
  const issuer = await startIssuer(alg)
  servers.push(issuer)
  return issuer
}

test('Clerk: a session of one of our pages, with the role of its organization', async () => {
  const issuer = await issuerOf('RS256')
  const origin = 'https://app.example.com'
  provider = clerk({ issuer: issuer.url, origins: [origin] })
  const session = (claims: Record<string, unknown>) =>
    issuer.token({
      aud: undefined,
      sub: 'user_2abc',
      azp: origin,
      sid: 'sess_1',
      ...claims,
    })
  assert.equal(await upload(bearing(await session({}))), {
    status: 201,
    ownerId: 'user_2abc',
  })
  const member = await session({ o: { id: 'org_1', rol: 'member', slg: 'acme' } })
  const principal = await found(bearing(member))
  assert.equal([principal?.role, principal?.organizationId], ['member', 'org_1'])
  for (const azp of ['https://evil.example', undefined]) {
    assert.is((await upload(bearing(await session({ azp })))).status, 401)
  }
})

test('Supabase: a user, a visitor who signed in anonymously, and a role that we gave', async () => {
  const issuer = await issuerOf('ES256')
  // Its keys are below the path that is part of the issuer's name.
  const project = createServer(async (request, response) => {
    if (request.url !== '/auth/v1/.well-known/jwks.json') {
      return void response.writeHead(404).end()
    }
    response.end(await (await fetch(issuer.jwksUri)).text())
  })
  const url = `http://127.0.0.1:${await listen(project)}`
  servers.push(project)
  provider = supabase(url)
  const session = (claims: Record<string, unknown> = {}) =>
    issuer.token({
      iss: `${url}/auth/v1`,
      aud: 'authenticated',
      sub: 'b0a9f9a8-0000-4000-8000-000000000000',
      role: 'authenticated',
      is_anonymous: false,
      ...claims,
    })
  const user = await upload(bearing(await session()))
  assert.equal(user, { status: 201, ownerId: 'b0a9f9a8-0000-4000-8000-000000000000' })
  const visitor = bearing(await session({ is_anonymous: true }))
  assert.is((await upload(visitor)).status, 401)
  assert.is((await upload(visitor, 'private')).status, 201)
  const role = { app_metadata: { carcosa_role: 'viewer' } }
  assert.is((await upload(bearing(await session(role)))).status, 403)
  // What users can write about themselves gives them nothing.
  const bold = { user_metadata: { carcosa_role: 'owner' } }
  assert.is((await found(bearing(await session(bold))))?.role, undefined)
  assert.is((await upload(bearing(await session({ aud: 'anon' })))).status, 401)
})

test('Auth.js: the cookie of a session that it signed', async () => {
  const secret = 'the secret that Auth.js and Carcosa share'
  provider = authjs(secret)
  const session = { sub: 'user-7', name: 'Cassilda', email: 'c@example.com' }
  const token = await signedSessions.encode({ token: session, secret })
  for (const name of ['authjs.session-token', '__Secure-authjs.session-token']) {
    const answer = await upload({ Cookie: `theme=dark; ${name}=${token}` })
    assert.equal(answer, { status: 201, ownerId: 'user-7' })
  }
  assert.is((await signedSessions.decode({ token, secret }))?.sub, 'user-7')
  assert.is(await signedSessions.decode({ secret }), null)
  const over = await signedSessions.encode({ token: session, secret, maxAge: -60 })
  assert.is((await upload({ Cookie: `authjs.session-token=${over}` })).status, 401)
  const other = 'another secret, that is nobody’s business here'
  const forged = await signedSessions.encode({ token: session, secret: other })
  assert.is((await upload({ Cookie: `authjs.session-token=${forged}` })).status, 401)
  assert.is((await upload({ Cookie: `not-authjs.session-token=${token}` })).status, 401)
})

test('the configuration: users by their tokens, programs by keys, a role of its own', async () => {
  const configured = await startServer({ ...config, logger: undefined })
  try {
    const { token } = await configured.carcosa.api.keys.create({
      name: 'ci',
      role: 'developer',
      scopes: { actions: ['uploads.create'], routes: ['report'] },
    })
    const auditor = await configured.carcosa.api.keys.create({
      name: 'a',
      role: 'auditor',
    })
    const post = (key: string) =>
      configured.doors.http({
        method: 'POST',
        path: '/uploads/report',
        headers: {
          'Upload-Length': '5',
          'Upload-Metadata': `filetype ${btoa('application/pdf')}`,
          ...bearing(key),
        },
      })
    assert.is((await post(token)).status, 201)
    assert.is((await post(auditor.token)).status, 403)
  } finally {
    await configured.close()
  }
})

test.run()
