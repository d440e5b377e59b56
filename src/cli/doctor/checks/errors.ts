import { Broken, type Check, ok } from '../check.ts'
import { describe, problemOf } from '../explain.ts'
import { send } from '../patient.ts'
import { creationPath } from '../tus.ts'

/** Whether an error arrives as Carcosa tells it: status, code, what to do. */
export const check: Check = {
  name: 'errors',
  needs: ['routes'],
  async run(patient) {
    const to = `${creationPath(patient)}/carcosa-doctor`
    const headers = {
      'Tus-Resumable': '1.0.0',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': '0',
    }
    const answer = await send(patient, 'GET', { to, headers })
    if (problemOf(answer) && answer.status === 404)
      return ok('errors arrive with code and reason')
    throw new Broken({
      code: 'ERRORS_REPLACED',
      message:
        'The proxy puts a page of its own in the place of errors: clients lose code, reason and when to try again.',
      sent: `GET of an upload that is not there`,
      got: describe(answer),
      mend: {
        nginx: 'proxy_intercept_errors off;',
        caddy: 'remove handle_response and handle_errors for the public URL',
        cloudflare:
          'Custom Pages do this for 5xx: Rules > Custom Errors: leave out the public URL',
      },
    })
  },
}
