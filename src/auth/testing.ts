import assert from 'node:assert/strict'
import { CarcosaError } from '../shared/errors.ts'
import { checkPrincipal } from './check-principal.ts'
import type { AuthProvider, AuthRequest, Principal } from './principal.ts'

/** What a test tells a provider of a request. Default: a GET of `/` without headers. */
export interface TestRequest {
  method?: string
  url?: string
  headers?: Record<string, string>
  address?: string | null
}

/** A provider, and requests of which it is known what it must make of them. */
export interface AuthSubject {
  provider: AuthProvider
  /** Two requests with good credentials, of different people, and who they are. */
  good: readonly [GoodRequest, GoodRequest]
  /**
   * Requests with a credential of its kind that is wrong, by what is wrong with it: made up,
   * changed, expired, revoked. At least one.
   */
  bad: Readonly<Record<string, TestRequest>>
  /** Requests with credentials of other kinds, which are not its own to judge. Default some. */
  foreign?: readonly TestRequest[]
  /**
   * A request whose good credential cannot be judged at the moment, with what makes that so.
   * Default: it never depends on anybody.
   */
  outage?: {
    request: TestRequest
    begin(): void | Promise<void>
    end(): void | Promise<void>
  }
}

export interface GoodRequest {
  request: TestRequest
  principal: Pick<Principal, 'id' | 'kind'> & Partial<Principal>
}

export interface AuthProviderTests {
  /** Called for every test. */
  create(): AuthSubject | Promise<AuthSubject>
  /** Defines a test, e.g. `test` of node:test or Vitest, or a suite of uvu. */
  test(title: string, run: () => Promise<void>): unknown
}

/**
 * Defines the tests that every auth provider must pass, by the contract in `AuthProvider`.
 *
 * @example
 * import { test } from 'node:test'
 * import { testAuthProvider } from 'carcosa/testing'
 *
 * testAuthProvider({
 *   test,
 *   create: () => ({
 *     provider: sessions,
 *     good: [
 *       { request: cookie('ann'), principal: { id: 'ann', kind: 'user' } },
 *       { request: cookie('bob'), principal: { id: 'bob', kind: 'user' } },
 *     ],
 *     bad: { 'an ended session': cookie('ended'), 'a session made up': cookie('x') },
 *   }),
 * })
 */
export function testAuthProvider({ create, test }: AuthProviderTests): void {
  const define = (title: string, check: (subject: AuthSubject) => Promise<void>) =>
    void test(title, async () => check(await create()))

  define('it has a name', async ({ provider }) => {
    assert.match(provider.name, /^\S+$/)
  })

  define('it says who sends a good credential', async ({ provider, good }) => {
    for (const { request, principal } of good) {
      assertIs(await ask(provider, request), principal, provider.name)
    }
    assert.notEqual(good[0].principal.id, good[1].principal.id)
  })

  define('it says the same for any method and path', async ({ provider, good }) => {
    for (const method of ['HEAD', 'PATCH', 'POST', 'DELETE']) {
      const elsewhere = { ...good[0].request, method, url: '/uploads/a/b?c=d' }
      assertIs(await ask(provider, elsewhere), good[0].principal, provider.name)
    }
  })

  define('requests at the same time are not mixed up', async ({ provider, good }) => {
    const asked = Array.from({ length: 20 }, (_, i) => good[i % 2 ? 1 : 0])
    const found = await Promise.all(asked.map(({ request }) => ask(provider, request)))
    for (const [i, { principal }] of asked.entries()) {
      assertIs(found[i] ?? null, principal, provider.name)
    }
  })

  define(
    'it knows nobody by a request without a credential',
    async ({ provider, good }) => {
      for (const { request } of good) await ask(provider, request)
      assert.equal(await ask(provider, {}), null)
    },
  )

  define(
    'it leaves the credentials of others to others',
    async ({ provider, foreign }) => {
      for (const request of foreign ?? others) {
        assert.equal(await ask(provider, request), null, JSON.stringify(request))
      }
    },
  )

  define(
    'it refuses a credential that is wrong, and does not overlook it',
    async (subject) => {
      const { provider, bad, good } = subject
      assert.ok(
        Object.keys(bad).length > 0,
        'the subject has no credential that is wrong',
      )
      for (const { request } of good) await ask(provider, request)
      for (const [what, request] of Object.entries(bad)) {
        const error = await refusal(provider, request, what)
        assert.equal(error.code, 'UNAUTHENTICATED', what)
      }
    },
  )

  define('a refusal does not repeat the credential', async ({ provider, bad }) => {
    for (const [what, request] of Object.entries(bad)) {
      const told = JSON.stringify((await refusal(provider, request, what)).toProblem())
      for (const secret of secretsOf(request)) assert.ok(!told.includes(secret), what)
    }
  })

  define('it leaves the request as it is', async ({ provider, good }) => {
    const request = requestOf(good[0].request)
    const before = [...request.headers]
    await provider.authenticate(Object.freeze(request))
    assert.deepEqual([...request.headers], before)
  })

  define('an outage is no verdict: 503, and right again afterwards', async (subject) => {
    const { provider, outage, good } = subject
    if (!outage) return
    await outage.begin()
    try {
      const error = await refusal(provider, outage.request, 'during the outage')
      assert.equal(error.status, 503)
    } finally {
      await outage.end()
    }
    assertIs(await ask(provider, good[0].request), good[0].principal, provider.name)
  })
}

const others: readonly TestRequest[] = [
  { headers: { Authorization: 'Basic YTpi' } },
  { headers: { Authorization: 'Digest username="a"' } },
  { headers: { Authorization: 'Bearer' } },
  { headers: { Cookie: 'theme=dark' } },
  { headers: { 'X-Forwarded-User': 'root', 'X-Real-Ip': '127.0.0.1' } },
]

async function ask(
  provider: AuthProvider,
  request: TestRequest,
): Promise<Principal | null> {
  return provider.authenticate(requestOf(request))
}

function requestOf(request: TestRequest): AuthRequest {
  const { method = 'GET', url = '/', headers = {}, address = '203.0.113.7' } = request
  return { method, url, headers: new Headers(headers), address }
}

function assertIs(
  found: Principal | null,
  expected: GoodRequest['principal'],
  provider: string,
): void {
  assert.ok(found, 'nobody was found')
  checkPrincipal(found, provider)
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(found[name as keyof Principal], value, name)
  }
}

async function refusal(
  provider: AuthProvider,
  request: TestRequest,
  what: string,
): Promise<CarcosaError> {
  let found: Principal | null
  try {
    found = await ask(provider, request)
  } catch (error) {
    assert.ok(error instanceof CarcosaError, `${what}: no CarcosaError, but ${error}`)
    return error
  }
  return assert.fail(
    `${what}: not refused, but ${found ? `taken for ${found.id}` : 'overlooked'}`,
  )
}

/** What is long enough not to be found by chance. */
function secretsOf({ headers = {}, url = '' }: TestRequest): string[] {
  const text = [...Object.values(headers), url].join(' ')
  return text.split(/[\s=;,.&?]+/).filter((part) => part.length >= 12)
}
