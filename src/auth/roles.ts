/** Everything that anybody can be allowed to do. */
export const actions = Object.freeze([
  /** Begin an upload on a route, see it through, and read what it became. */
  'uploads.create',
  /** See the state and offset of an upload. */
  'uploads.read',
  /** Send bytes to an upload. No role has it for the uploads of others. */
  'uploads.write',
  /** Say that a direct upload is complete. */
  'uploads.finish',
  /** End an unfinished upload. */
  'uploads.cancel',
  /** Read records and bytes of files. */
  'files.read',
  /** Change name, tags and acl of files. */
  'files.write',
  'files.delete',
  /** Make URLs that open a file for whoever has them. */
  'files.sign',
  /** Watch what happens to files. */
  'events.read',
  'keys.manage',
  'members.manage',
  'projects.manage',
  'settings.read',
  'settings.write',
  'usage.read',
  'billing.manage',
  'audit.read',
  'jobs.read',
  'jobs.manage',
  'stores.manage',
  'webhooks.manage',
] as const)

export type Action = (typeof actions)[number]

/** An action on everything in the project, or with `.own` only on what one made oneself. */
export type Grant = Action | `${Action}.own`

/** What goes with a grant without being named. */
const included: ReadonlyMap<string, readonly Grant[]> = new Map<string, readonly Grant[]>(
  [
    [
      // Whoever may begin an upload sees it through, and gets the link to what it became.
      'uploads.create',
      [
        ...(['uploads.read.own', 'uploads.write.own', 'uploads.finish.own'] as const),
        ...(['uploads.cancel.own', 'files.read.own', 'files.sign.own'] as const),
        'events.read.own',
      ],
    ],
    ['files.read', ['uploads.read']],
    ['files.read.own', ['uploads.read.own']],
  ],
)

const everythingOfFiles: readonly Grant[] = [
  'uploads.create',
  'uploads.cancel',
  'files.read',
  'files.write',
  'files.delete',
  'files.sign',
  'events.read',
]

const everythingOfOneself: readonly Grant[] = [
  'uploads.create',
  'files.write.own',
  'files.delete.own',
]

/** Of those who may begin nothing but on routes that are open to all. */
const whatWasBegun: readonly Grant[] = [
  ...(included.get('uploads.create') ?? []),
  'files.delete.own',
]

const everythingOfProjects: readonly Grant[] = [
  ...everythingOfFiles,
  'keys.manage',
  'webhooks.manage',
  'settings.read',
  'usage.read',
  'jobs.read',
]

const administration: readonly Grant[] = [
  ...everythingOfProjects,
  'members.manage',
  'projects.manage',
  'settings.write',
  'audit.read',
  'jobs.manage',
  'stores.manage',
]

/**
 * Who may do what. The option `roles` adds rows and replaces them.
 *
 * - `user`: what a principal without a role is. A user of the application: may upload, and do
 *   with that what they like.
 * - `anonymous`: a visitor who is nobody in particular, on routes that are open to all.
 */
export const builtInRoles: Readonly<Record<string, readonly Grant[]>> = Object.freeze({
  anonymous: whatWasBegun,
  user: everythingOfOneself,
  viewer: ['files.read', 'events.read', 'settings.read', 'usage.read'],
  member: [...everythingOfOneself, 'files.read', 'files.sign', 'events.read'],
  developer: everythingOfProjects,
  billing: ['usage.read', 'billing.manage'],
  admin: administration,
  owner: [...administration, 'billing.manage'],
})

/** Whether `text` is a grant. */
export function isGrant(text: unknown): text is Grant {
  if (typeof text !== 'string') return false
  const action = text.endsWith('.own') ? text.slice(0, -'.own'.length) : text
  return (actions as readonly string[]).includes(action)
}

/** `grants` and all that goes with them. */
export function expand(grants: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>(grants)
  for (const grant of all) {
    for (const more of included.get(grant) ?? []) all.add(more)
    if (!grant.endsWith('.own')) all.add(`${grant}.own`)
  }
  return all
}
