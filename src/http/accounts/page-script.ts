/**
 * What the pages do: they send their form as JSON, which no page of another site can, and say what
 * came of it. The token of a link stands behind the `#`, so that it is in no log and no referrer.
 */
export const script = `
const page = document.body.dataset.page
const form = document.getElementById('form')
const notice = document.getElementById('notice')
const button = form.querySelector('button')
const secret = location.hash.slice(1)
if (secret) history.replaceState(null, '', location.pathname + location.search)

class Refusal extends Error {}
async function call(path, body, method) {
  const headers = { 'Content-Type': 'application/json' }
  const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
  const answer = await fetch(path, { method: method ?? (body ? 'POST' : 'GET'), ...sent })
  const found = await answer.json().catch(() => ({}))
  if (answer.ok) return found
  throw Object.assign(new Refusal(found.detail ?? 'Something went wrong.'), { code: found.code })
}
function say(title, lead) {
  document.getElementById('title').textContent = title
  document.getElementById('lead').textContent = lead
  form.hidden = true
}
const values = () => Object.fromEntries(new FormData(form))
const go = (where) => location.replace(where)
function onward() {
  const next = new URLSearchParams(location.search).get('next') ?? ''
  const isOurs = /^\\/(?![\\/\\\\])/.test(next)
  go(isOurs ? next : 'account')
}

const submits = {
  'sign-in': async () => { await call('login', values()); onward() },
  register: async () => {
    const { status } = await call('register', values())
    if (status === 'signed-in') return onward()
    say('Look into your mail', 'Open the link in it, and then sign in.')
  },
  forgot: async () => {
    await call('forgot-password', values())
    say('Look into your mail', 'If there is an account with this address, a link is on its way. It works for an hour.')
  },
  'reset-password': async () => {
    await call('reset-password', { token: secret, password: values().password })
    say('Your password is saved', 'Sign in with it.')
  },
  login: async () => {
    const { email, password } = values()
    await call('password', { newPassword: password, email })
    onward()
  },
  'verify-email': async () => {
    await call('verify-email', { token: secret })
    say('Your address is confirmed', 'You can sign in now.')
  },
  invitation: async () => {
    const { email, password, name } = values()
    try {
      await call('login', { email, password })
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.code !== 'INVALID_CREDENTIALS') throw refusal
      const { status } = await call('register', { email, password, name, invitation: secret })
      if (status !== 'signed-in') {
        return say('Look into your mail', 'Confirm your address with the link in it, and then open the invitation again.')
      }
    }
    await call('invitations/' + encodeURIComponent(secret) + '/accept', {})
    onward()
  },
  account: async () => { await call('logout', {}); go('sign-in') },
}

const starts = {
  login: async () => {
    form.hidden = true
    const { user, needsPassword } = await call('login-link', { token: secret })
    if (!needsPassword) return onward()
    form.hidden = false
    if (!user.email.endsWith('.local')) form.email.value = user.email
    form.querySelector('input').focus()
  },
  account: async () => {
    const { user } = await call('session').catch((refusal) => {
      if (refusal.code === 'UNAUTHENTICATED') go('sign-in')
      throw refusal
    })
    document.getElementById('lead').textContent = 'You are ' + user.name + ', ' + user.email + '.'
  },
}

function tell(error) {
  notice.textContent = error instanceof Refusal ? error.message : 'The server cannot be reached. Try again.'
}
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  notice.textContent = ''
  button.disabled = true
  try {
    await submits[page]()
  } catch (error) {
    tell(error)
  } finally {
    button.disabled = false
  }
})
starts[page]?.().catch((error) => {
  if (page === 'login') say('This link does not work', 'It was used already, or is too old. Ask for another one, or sign in.')
  else tell(error)
})
if (!starts[page]) form.querySelector('input')?.focus()
`
