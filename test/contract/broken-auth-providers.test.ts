/** A provider that breaks the contract in one point fails the test that says so. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuthProvider, AuthRequest, Principal } from '../../src/auth/principal.ts'
import { type AuthSubject, testAuthProvider } from '../../src/auth/testing.ts'
import { CarcosaError } from '../../src/shared/errors.ts'

type Authenticate = (request: AuthRequest) => Promise<Principal | null> | Principal | null

let down = false

/** `Session <name>`; what begins with `ended` is over. */
const right: Authenticate = ({ headers }) => {
  const [, name] = /^Session (\S+)$/.exec(headers.get('authorization') ?? '') ?? []
  if (name === undefined) return null
  if (down) throw new CarcosaError('AUTH_UNAVAILABLE')
  if (name.startsWith('ended')) throw new CarcosaError('UNAUTHENTICATED')
  return { id: name, kind: 'user' }
}

const request = (name: string) => ({ headers: { Authorization: `Session ${name}` } })

function subject(
  authenticate: Authenticate,
  more: Partial<AuthSubject> = {},
): AuthSubject {
  const provider: AuthProvider = { name: 'sessions', authenticate }
  return {
    provider,
    good: [
      { request: request('ann'), principal: { id: 'ann', kind: 'user' } },
      { request: request('bob'), principal: { id: 'bob', kind: 'user' } },
    ],
    bad: { 'an ended session': request('ended-session-of-ann') },
    outage: {
      request: request('ann'),
      begin() {
        down = true
      },
      end() {
        down = false
      },
    },
    ...more,
  }
}

async function failuresOf(create: () => AuthSubject): Promise<string[]> {
  const tests: [title: string, run: () => Promise<void>][] = []
  testAuthProvider({ create, test: (title, run) => tests.push([title, run]) })
  const failed: string[] = []
  for (const [title, run] of tests) {
    await run().catch(() => failed.push(title))
    down = false
  }
  return failed
}

let last: Principal | null = null
const slow = () => new Promise((resolve) => setTimeout(resolve, 2))

const broken: [what: string, noticed: RegExp, authenticate: Authenticate][] = [
  ['nobody is known', /says who/, () => null],
  [
    'another one is known',
    /says who/,
    async (asked) => (await right(asked)) && { id: 'root', kind: 'user' },
  ],
  [
    'a kind that there is not',
    /says who/,
    // What a provider without types can return.
    async (asked) =>
      (await right(asked)) && ({ id: 'ann', kind: 'admin' } as unknown as Principal),
  ],
  [
    'it says that it is the program itself',
    /says who/,
    async (asked) => {
      const found = await right(asked)
      return found && { ...found, kind: 'system' }
    },
  ],
  [
    'only GET has users',
    /any method/,
    (asked) => (asked.method === 'GET' ? right(asked) : null),
  ],
  [
    'what was found last is kept in one place',
    /mixed up/,
    async (asked) => {
      const found = await right(asked)
      if (!found) return null
      last = found
      await slow()
      return last
    },
  ],
  [
    'who was found last is known without a credential',
    /without a credential/,
    async (asked) => {
      const found = await right(asked)
      if (found) last = found
      return asked.headers.has('authorization') ? found : last
    },
  ],
  [
    'without a credential a request is refused',
    /without a credential/,
    (asked) => {
      if (!asked.headers.has('authorization')) throw new CarcosaError('UNAUTHENTICATED')
      return right(asked)
    },
  ],
  [
    'the credentials of others are refused',
    /of others/,
    (asked) => {
      const found = right(asked)
      if (found || !asked.headers.has('authorization')) return found
      throw new CarcosaError('UNAUTHENTICATED')
    },
  ],
  [
    'headers that anybody can send are believed',
    /of others/,
    (asked) => {
      const id = asked.headers.get('x-forwarded-user')
      return id ? { id, kind: 'user' } : right(asked)
    },
  ],
  [
    'a wrong credential is overlooked',
    /refuses a credential/,
    async (asked) => {
      try {
        return await right(asked)
      } catch (error) {
        if (down) throw error
        return null
      }
    },
  ],
  [
    'a wrong credential is taken for good',
    /refuses a credential/,
    async (asked) => {
      try {
        return await right(asked)
      } catch (error) {
        if (down) throw error
        return { id: 'ann', kind: 'user' }
      }
    },
  ],
  [
    'a wrong credential is forbidden, not refused',
    /refuses a credential/,
    async (asked) => {
      try {
        return await right(asked)
      } catch (error) {
        if (down) throw error
        throw new CarcosaError('FORBIDDEN')
      }
    },
  ],
  [
    'a wrong credential is an error of any kind',
    /refuses a credential/,
    async (asked) => {
      try {
        return await right(asked)
      } catch (error) {
        if (down) throw error
        throw new Error('no')
      }
    },
  ],
  [
    'a refusal repeats the credential',
    /repeat the credential/,
    async (asked) => {
      try {
        return await right(asked)
      } catch (error) {
        if (down) throw error
        const message = `Wrong: ${asked.headers.get('authorization')}`
        throw new CarcosaError('UNAUTHENTICATED', { message })
      }
    },
  ],
  [
    'the header is taken away',
    /leaves the request/,
    async (asked) => {
      const found = await right(asked)
      asked.headers.delete('authorization')
      return found
    },
  ],
  [
    'an outage is a verdict',
    /an outage/,
    async (asked) => {
      try {
        return await right(asked)
      } catch {
        throw new CarcosaError('UNAUTHENTICATED')
      }
    },
  ],
  [
    'an outage never ends',
    /an outage/,
    async (asked) => {
      if (down) broke = true
      if (broke) throw new CarcosaError('AUTH_UNAVAILABLE')
      return right(asked)
    },
  ],
]
let broke = false

const test = suite('an auth provider that breaks the contract')
test.before.each(() => {
  last = null
  broke = false
  down = false
})

test('no test fails before something is broken', async () => {
  assert.equal(await failuresOf(() => subject(right)), [])
})

for (const [what, noticed, authenticate] of broken) {
  test(what, async () => {
    const failed = await failuresOf(() => subject(authenticate))
    assert.ok(
      failed.some((title) => noticed.test(title)),
      `noticed by: ${failed.join('; ')}`,
    )
  })
}

test('a provider without a name', async () => {
  const provider = { name: '', authenticate: right }
  assert.ok(
    (await failuresOf(() => subject(right, { provider }))).includes('it has a name'),
  )
})

test('a subject without a wrong credential', async () => {
  const failed = await failuresOf(() => subject(right, { bad: {} }))
  assert.ok(failed.some((title) => title.startsWith('it refuses')))
})

test.run()
