import { Broken, type Check, ok } from '../check.ts'
import { describe, expect, headerHidden, methodBlocked } from '../explain.ts'
import { send } from '../patient.ts'
import { creationPath } from '../tus.ts'

/** Whether a tus client learns what the server can do. */
export const check: Check = {
  name: 'options',
  needs: ['routes'],
  async run(patient) {
    const to = creationPath(patient)
    const sent = `OPTIONS ${to}`
    const answer = expect(await send(patient, 'OPTIONS', { to }), [200, 204], sent)
    const missing = ['Tus-Resumable', 'Tus-Version', 'Tus-Extension'].filter(
      (name) => answer.headers[name.toLowerCase()] === undefined,
    )
    const found = { sent, got: describe(answer) }
    if (missing.length === 3) {
      const { mend } = methodBlocked('OPTIONS')
      throw new Broken({
        ...found,
        code: 'OPTIONS_ANSWERED',
        message:
          'Somebody in front of Carcosa answers OPTIONS: clients do not learn what it can do.',
        mend: {
          ...mend,
          nginx:
            'remove "if ($request_method = OPTIONS) { return 204; }": proxy_pass answers it, CORS included',
        },
      })
    }
    const [first] = missing
    if (first) throw new Broken({ ...found, ...headerHidden(first) })
    return ok(`OPTIONS tells the tus extensions ${answer.headers['tus-extension']}`)
  },
}
