/**
 * What the pages do: they send their form as JSON, which no page of another site can, and say what
 * came of it. The token of a link stands behind the `#`, so that it is in no log and no referrer.
 */
export const script = `
const page = document.body.dataset.page
const form = document.getElementById('form')
const notice = document.getElementById('notice')
const button = form.querySelector('button')
document.getElementById('without').remove()
form.hidden = false
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
function lead(text) {
  document.getElementById('lead').textContent = text
}
function say(title, text) {
  document.getElementById('title').textContent = title
  lead(text)
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
  'change-password': async () => {
    await call('password', values())
    say('Your password is saved', 'Other browsers and programs have to sign in with it.')
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
    if (!form.dataset.known) {
      const { email, password, name } = values()
      const { status } = await call('register', { email, password, name, invitation: secret })
      if (status !== 'signed-in') {
        return say('Look into your mail', 'Confirm your address with the link in it, and then open the invitation again.')
      }
    }
    await call('invitations/' + encodeURIComponent(secret) + '/accept', {})
    go('account')
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
  'reset-password': async () => {
    if (!secret) say('This link is not complete', 'Open it again from the mail, or ask for another one.')
  },
  'change-password': async () => { known(await session()) },
  invitation: async () => {
    if (!secret) return say('This link is not complete', 'Open it again from the mail, or ask for another one.')
    const signIn = document.querySelector('#links a')
    signIn.href = 'sign-in?next=' + encodeURIComponent(location.pathname + '#' + secret)
    const found = await call('session').catch(() => null)
    if (!found) return form.name.focus()
    form.dataset.known = 'yes'
    document.getElementById('fields').remove()
    lead('You are signed in as ' + found.user.email + '.')
    signIn.textContent = 'Use another account'
  },
  account: async () => {
    const { user, organizations } = await session()
    lead(user.name + ', ' + user.email)
    const list = document.createElement('ul')
    list.id = 'organizations'
    for (const { name, role } of organizations) list.append(item(name, role))
    if (organizations.length === 0) list.append(item('In no organization yet', ''))
    form.before(list)
    const { invitations } = await call('invitations')
    for (const { id, organizationName, role } of invitations) {
      const entry = item('Invited to ' + organizationName, role)
      const link = document.createElement('a')
      link.href = 'invitation#' + id
      link.textContent = 'Answer'
      entry.append(link)
      list.append(entry)
    }
  },
}

function item(name, role) {
  const entry = document.createElement('li')
  const what = document.createElement('span')
  what.textContent = name
  const as = document.createElement('span')
  as.className = 'role'
  as.textContent = role
  entry.append(what, as)
  return entry
}
/** Who is signed in; whoever is not goes and does so. */
function session() {
  return call('session').catch((refusal) => {
    if (refusal.code === 'UNAUTHENTICATED') go('sign-in')
    throw refusal
  })
}
/** So that password managers know whose password it is. */
function known({ user }) {
  const field = document.createElement('input')
  Object.assign(field, { type: 'email', autocomplete: 'username', value: user.email, hidden: true })
  form.prepend(field)
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
if (page !== 'login') form.querySelector('input:not([hidden])')?.focus()
`
