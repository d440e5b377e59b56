import { apiKeys } from './api-keys.ts'
import { audit } from './audit.ts'
import { files } from './files.ts'
import { me } from './me.ts'
import { organizations } from './organizations.ts'
import { others } from './others.ts'
import { projects } from './projects.ts'
import type { Scenes } from './scene.ts'
import { uploads } from './uploads.ts'
import { usage } from './usage.ts'

/** A scene for every operation there is; a new resource adds its own. */
export const scenes: Scenes = {
  ...me,
  ...organizations,
  ...projects,
  ...apiKeys,
  ...files,
  ...uploads,
  ...others,
  ...usage,
  ...audit,
}
