import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createAccess,
  type OrganizationResource,
  type Resource,
  type Standing,
} from '../../../src/auth/permissions.ts'
import type { Principal } from '../../../src/auth/principal.ts'
import { type Action, actions, builtInRoles, isGrant } from '../../../src/auth/roles.ts'

const { can, reach, exceeding, describe } = createAccess({
  defaultProject: 'default',
  roles: { auditor: ['audit.read', 'files.read'], support: ['uploads.write'] },
})

const user = (more: Partial<Principal> = {}): Principal => ({
  id: 'ann',
  kind: 'user',
  ...more,
})
const onRoute: Resource = { projectId: 'default', route: 'mine' }
const openRoute: Resource = { ...onRoute, route: 'demo', isPublicRoute: true }
const own: Resource = { ...onRoute, ownerId: 'ann' }
const foreign: Resource = { ...onRoute, ownerId: 'bob' }
const nobodys: Resource = { ...openRoute, ownerId: null }
const nobodysFile: Resource = { ...nobodys, isFinished: true, acl: 'private' }

type Row = [
  Principal | null,
  Action,
  Resource | OrganizationResource,
  rule: string,
  allowed: boolean,
]

const rows: Row[] = [
  // Nobody
  [null, 'uploads.create', openRoute, 'public-route', true],
  [null, 'uploads.create', onRoute, 'no-principal', false],
  [null, 'uploads.write', nobodys, 'url', true],
  [null, 'uploads.cancel', nobodys, 'url', true],
  [null, 'uploads.finish', nobodys, 'no-principal', false],
  [null, 'uploads.read', nobodysFile, 'url', true],
  [null, 'files.read', nobodysFile, 'no-principal', false],
  [null, 'files.sign', nobodysFile, 'no-principal', false],
  [null, 'files.delete', nobodysFile, 'no-principal', false],
  [null, 'uploads.cancel', nobodysFile, 'no-principal', false],
  [null, 'files.read', { ...foreign, acl: 'public-read' }, 'public-file', true],
  [null, 'files.delete', { ...foreign, acl: 'public-read' }, 'no-principal', false],
  [null, 'files.delete', { ...nobodysFile, ticket: true }, 'ticket', true],
  [null, 'keys.manage', { projectId: 'default', ticket: true }, 'no-principal', false],
  [null, 'uploads.read', own, 'no-principal', false],
  // A user of the application, without a role
  [user(), 'uploads.create', onRoute, 'role', true],
  [user(), 'uploads.write', own, 'own', true],
  [user(), 'files.read', own, 'own', true],
  [user(), 'files.delete', own, 'own', true],
  [user(), 'files.read', foreign, 'role-denies', false],
  [user(), 'uploads.write', foreign, 'role-denies', false],
  [user(), 'files.read', nobodysFile, 'role-denies', false],
  [user(), 'keys.manage', { projectId: 'default' }, 'role-denies', false],
  [user({ id: 'bob' }), 'files.read', own, 'role-denies', false],
  // Another project, whatever the role
  [user({ projectId: 'p2' }), 'files.read', own, 'other-project', false],
  [user({ projectId: 'p2', role: 'owner' }), 'files.read', own, 'other-project', false],
  [user({ projectId: 'p2' }), 'files.read', { ...own, projectId: 'p2' }, 'own', true],
  [
    user({ projectId: 'p2' }),
    'files.read',
    { ...own, acl: 'public-read' },
    'public-file',
    true,
  ],
  [user({ projectId: 'p2' }), 'uploads.write', nobodys, 'url', true],
  // What belongs to an organization as a whole: roles of this one alone, and no key
  [null, 'members.manage', { organizationId: 'o1' }, 'no-principal', false],
  [
    user({ role: 'owner' }),
    'members.manage',
    { organizationId: 'o1' },
    'other-organization',
    false,
  ],
  [
    user({ role: 'owner', organizationId: 'o2' }),
    'projects.manage',
    { organizationId: 'o1' },
    'other-organization',
    false,
  ],
  [
    user({ role: 'owner', organizationId: 'o1' }),
    'billing.manage',
    { organizationId: 'o1' },
    'role',
    true,
  ],
  [
    user({ role: 'admin', organizationId: 'o1' }),
    'billing.manage',
    { organizationId: 'o1' },
    'role-denies',
    false,
  ],
  [
    user({ role: 'billing', organizationId: 'o1' }),
    'billing.manage',
    { organizationId: 'o1' },
    'role',
    true,
  ],
  [
    user({ role: 'developer', organizationId: 'o1' }),
    'members.manage',
    { organizationId: 'o1' },
    'role-denies',
    false,
  ],
  [
    user({ role: 'wizard', organizationId: 'o1' }),
    'members.manage',
    { organizationId: 'o1' },
    'unknown-role',
    false,
  ],
  [
    user({ role: 'admin', organizationId: 'o1', scopes: { routes: ['demo'] } }),
    'members.manage',
    { organizationId: 'o1' },
    'scope-routes',
    false,
  ],
  [
    user({ role: 'admin', organizationId: 'o1', scopes: { actions: ['files.read'] } }),
    'projects.manage',
    { organizationId: 'o1' },
    'scope-actions',
    false,
  ],
  // Roles
  [user({ role: 'viewer' }), 'files.read', foreign, 'role', true],
  [user({ role: 'viewer' }), 'uploads.read', foreign, 'role', true],
  [user({ role: 'viewer' }), 'uploads.create', onRoute, 'role-denies', false],
  [user({ role: 'viewer' }), 'uploads.write', own, 'role-denies', false],
  [user({ role: 'viewer' }), 'uploads.create', openRoute, 'public-route', true],
  [
    user({ role: 'viewer' }),
    'uploads.write',
    { ...own, isPublicRoute: true },
    'public-route',
    true,
  ],
  [
    user({ role: 'viewer' }),
    'uploads.write',
    { ...foreign, isPublicRoute: true },
    'role-denies',
    false,
  ],
  [user({ role: 'admin' }), 'uploads.write', foreign, 'role-denies', false],
  [user({ role: 'admin' }), 'files.delete', foreign, 'role', true],
  [user({ role: 'member' }), 'files.delete', foreign, 'role-denies', false],
  [user({ role: 'billing' }), 'files.read', foreign, 'role-denies', false],
  [user({ role: 'auditor' }), 'audit.read', { projectId: 'default' }, 'role', true],
  [user({ role: 'support' }), 'uploads.write', foreign, 'role', true],
  [user({ role: 'nonsense' }), 'files.read', own, 'unknown-role', false],
  [user({ role: '__proto__' }), 'files.read', own, 'unknown-role', false],
  [user({ role: 'constructor' }), 'files.read', own, 'unknown-role', false],
  // Scopes narrow and never widen
  [
    user({ scopes: { actions: ['uploads.create'] } }),
    'uploads.create',
    onRoute,
    'role',
    true,
  ],
  [user({ scopes: { actions: ['uploads.create'] } }), 'uploads.write', own, 'own', true],
  [user({ scopes: { actions: ['uploads.create'] } }), 'files.read', own, 'own', true],
  [
    user({ scopes: { actions: ['uploads.create'] } }),
    'files.delete',
    own,
    'scope-actions',
    false,
  ],
  [
    user({ scopes: { actions: ['files.read'] } }),
    'uploads.create',
    onRoute,
    'scope-actions',
    false,
  ],
  [
    user({ scopes: { actions: ['files.read'] } }),
    'uploads.create',
    openRoute,
    'scope-actions',
    false,
  ],
  [
    user({ scopes: { actions: ['files.read'] } }),
    'files.read',
    foreign,
    'role-denies',
    false,
  ],
  [
    user({ role: 'developer', scopes: { actions: ['files.read'] } }),
    'files.read',
    foreign,
    'role',
    true,
  ],
  [
    user({ role: 'developer', scopes: { actions: ['files.read.own'] } }),
    'files.read',
    foreign,
    'scope-actions',
    false,
  ],
  [
    user({ role: 'developer', scopes: { actions: ['files.read.own'] } }),
    'files.read',
    own,
    'role',
    true,
  ],
  [
    user({ scopes: { actions: ['constructor', '__proto__', ''] } }),
    'files.read',
    own,
    'scope-actions',
    false,
  ],
  [user({ scopes: { actions: [] } }), 'files.read', own, 'scope-actions', false],
  [user({ scopes: { routes: ['mine'] } }), 'uploads.create', onRoute, 'role', true],
  [
    user({ scopes: { routes: ['other'] } }),
    'uploads.create',
    onRoute,
    'scope-routes',
    false,
  ],
  [user({ scopes: { routes: ['other'] } }), 'files.read', own, 'scope-routes', false],
  [
    user({ role: 'owner', scopes: { routes: ['mine'] } }),
    'keys.manage',
    { projectId: 'default' },
    'scope-routes',
    false,
  ],
  // Guests are recognised, and nobody
  [user({ kind: 'anonymous' }), 'uploads.create', onRoute, 'no-principal', false],
  [user({ kind: 'anonymous' }), 'uploads.create', openRoute, 'public-route', true],
  [
    user({ kind: 'anonymous' }),
    'uploads.write',
    { ...own, isPublicRoute: true },
    'public-route',
    true,
  ],
  [user({ kind: 'anonymous' }), 'files.read', own, 'own', true],
  [user({ kind: 'anonymous' }), 'files.read', foreign, 'no-principal', false],
  // The program itself
  [user({ kind: 'system' }), 'stores.manage', { projectId: 'p9' }, 'system', true],
]

const test = suite('can()')

for (const [principal, action, resource, rule, allowed] of rows) {
  const who = principal ? JSON.stringify(principal) : 'nobody'
  test(`${who} ${action} ${JSON.stringify(resource)}: ${rule}`, () => {
    const decision = can(principal, action, resource)
    assert.is(decision.rule, rule)
    assert.is(decision.allowed, allowed)
    assert.equal(decision.inputs, { action, principal, resource })
  })
}

test('every built-in role is made of grants that there are', () => {
  for (const [role, grants] of Object.entries(builtInRoles)) {
    for (const grant of grants) assert.ok(isGrant(grant), `${role}: ${grant}`)
  }
})

test('an owner may do everything that there is to do, but not write to uploads of others', () => {
  const owner = user({ role: 'owner' })
  const denied = actions.filter((action) => !can(owner, action, foreign).allowed)
  assert.equal(denied, ['uploads.write', 'uploads.finish'])
})

const standings: [Principal, Standing, exceeding: string[]][] = [
  [user({ role: 'admin' }), { role: 'developer' }, []],
  [user({ role: 'admin' }), { role: 'admin' }, []],
  [user({ role: 'admin' }), { role: 'owner' }, ['billing.manage', 'billing.manage.own']],
  [
    user({ role: 'viewer' }),
    { role: 'member', scopes: { actions: ['files.sign'] } },
    ['files.sign', 'files.sign.own'],
  ],
  [user({ role: 'viewer' }), { role: 'owner', scopes: { actions: ['files.read'] } }, []],
  [
    user({ role: 'owner', scopes: { actions: ['keys.manage', 'files.read'] } }),
    { role: 'viewer', scopes: { actions: ['files.read', 'usage.read'] } },
    ['usage.read', 'usage.read.own'],
  ],
  [user({ role: 'owner', scopes: { routes: ['mine'] } }), {}, ['scopes.routes']],
  [
    user({ role: 'owner', scopes: { routes: ['mine'] } }),
    { scopes: { routes: ['mine', 'demo'] } },
    ['scopes.routes'],
  ],
  [
    user({ role: 'owner', scopes: { routes: ['mine'] } }),
    { scopes: { routes: ['mine'] } },
    [],
  ],
  [user({ role: 'owner' }), { projectId: 'p2' }, ['projectId']],
  [user({ kind: 'system' }), { role: 'owner', projectId: 'p2' }, []],
  [user({ role: 'nonsense' }), { role: 'nonsense' }, []],
]
for (const [principal, wanted, expected] of standings) {
  const title = `${JSON.stringify(principal)} makes ${JSON.stringify(wanted)}`
  test(`${title}: too much is ${expected.join(', ') || 'nothing'}`, () => {
    assert.equal(exceeding(principal, wanted).sort(), expected)
  })
}

/** How much of the project `default` somebody reads: an owner, routes, or why nothing. */
const reaches: [Principal | null, string, ownerId: string | null, routes?: string[]][] = [
  [null, 'no-principal', null],
  [user(), 'own', 'ann'],
  [user({ role: 'viewer' }), 'role', null],
  [user({ role: 'billing' }), 'role-denies', null],
  [user({ role: 'nonsense' }), 'unknown-role', null],
  [user({ role: 'viewer', projectId: 'p2' }), 'other-project', null],
  [user({ kind: 'anonymous' }), 'own', 'ann'],
  [user({ kind: 'system' }), 'system', null],
  [user({ role: 'viewer', scopes: { routes: ['mine'] } }), 'role', null, ['mine']],
  [user({ scopes: { routes: ['mine'] } }), 'own', 'ann', ['mine']],
  [user({ role: 'viewer', scopes: { routes: [] } }), 'scope-routes', null, []],
  [user({ role: 'viewer', scopes: { actions: ['usage.read'] } }), 'scope-actions', null],
  [user({ role: 'viewer', scopes: { actions: ['files.read.own'] } }), 'own', 'ann'],
  [user({ scopes: { actions: ['files.read'] } }), 'own', 'ann'],
]
for (const [principal, rule, ownerId, routes = null] of reaches) {
  const who = principal ? JSON.stringify(principal) : 'nobody'
  test(`of a list ${who} sees what can() lets them: ${rule}`, () => {
    const found = reach(principal, 'files.read', 'default')
    assert.equal([found.rule, found.ownerId, found.routes], [rule, ownerId, routes])
    for (const owner of ['ann', 'bob']) {
      for (const route of ['mine', 'other']) {
        const isIn =
          found.allowed &&
          (found.ownerId === null || found.ownerId === owner) &&
          (found.routes === null || found.routes.includes(route))
        const one = { projectId: 'default', ownerId: owner, route }
        assert.is(isIn, can(principal, 'files.read', one).allowed, `${owner} ${route}`)
      }
    }
  })
}

test('somebody is told their role and what they may do, scopes considered', () => {
  assert.equal(describe(user({ role: 'auditor' })), {
    role: 'auditor',
    grants: ['audit.read', 'files.read', 'uploads.read'],
  })
  const narrow = user({ role: 'viewer', scopes: { actions: ['files.read.own'] } })
  assert.equal(describe(narrow), {
    role: 'viewer',
    grants: ['files.read.own', 'uploads.read.own'],
  })
  assert.equal(describe(user({ role: 'nonsense' })).grants, [])
})

test('a refusal tells nothing, unless it is asked to', () => {
  const decision = can(user({ claims: { email: 'a@b' } }), 'files.read', foreign)
  const silent = createAccess({ defaultProject: 'default' })
  assert.equal(silent.explain(decision), {})
  const talking = createAccess({ defaultProject: 'default', explainDenials: true })
  assert.equal(talking.explain(decision), {
    details: {
      rule: 'role-denies',
      inputs: {
        action: 'files.read',
        principal: { id: 'ann', kind: 'user' },
        resource: foreign,
      },
    },
  })
})

test.run()
